package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/contract"
)

// These tests walk what the documents and the schema say there is, so that what is added to them is looked at without a word here: as nobody, as
// a user without api.access, as users who lack a permission, as an editor of another profile, and as another account's administrator.

// walked is a node with one of everything, which its walkers may not see.
type walked struct {
	*testNode
	ids     map[string]string // by the path's first segment
	walkers map[string]walker
}

type walker struct {
	*apiClient
	permissions account.Permissions // nil: nobody's
	session     string              // the cookie, for who calls by it
	stranger    bool                // of another account
	hidden      bool                // items are of a profile of another role
}

const nameOfAll = "For none of them"

func startWalk(t *testing.T) *walked {
	n := startNode(t)
	n.makeStranger()
	all := account.All()
	without := slices.DeleteFunc(account.All(), func(p account.Permission) bool { return p == account.APIAccess })
	editing := account.Permissions{account.APIAccess, account.ItemsView, account.ItemsCreate, account.ItemsEdit, account.ItemsDelete, account.ItemsPublish}
	made := func(email string, permissions account.Permissions) walker {
		return walker{apiClient: n.person(email, n.role(email, permissions...)), permissions: permissions}
	}
	w := &walked{testNode: n, walkers: map[string]walker{
		"nobody":           {apiClient: n.with("")},
		"an ended session": {apiClient: n.with(""), session: "itemcast_session=NOTHINGATALL"},
		"no api.access":    made("outsider@example.com", without),
		"api.access alone": made("bare@example.com", account.Permissions{account.APIAccess}),
		"viewer":           made("viewer@example.com", account.Permissions{account.APIAccess, account.ItemsView}),
		"another's editor": made("editor@example.com", editing),
		"stranger":         {apiClient: n.as(strangerEmail, adminPassword), permissions: all, stranger: true},
	}}
	browser := n.browser()
	n.signInAs(browser, "outsider@example.com", userPassword)
	w.walkers["no api.access, by session"] = walker{apiClient: n.with(""), session: n.cookies(browser), permissions: without}
	for name, one := range w.walkers {
		one.hidden = !one.stranger
		w.walkers[name] = one
	}
	owner, role := n.editor("owner")
	profile := n.limited(nameOfAll, role)
	create := func(by *apiClient, path, body string) string {
		return by.call(http.MethodPost, "/api/v1"+path, body).expect(t, http.StatusCreated).field(t, "id")
	}
	admin := n.as(adminEmail, adminPassword)
	w.ids = map[string]string{
		"items":             create(owner, "/items", `{"name":"`+nameOfAll+`","workflow_profile_id":"`+profile+`"}`),
		"hooks":             create(admin, "/hooks", `{"url":"https://example.com/","active":false}`),
		"metadata-fields":   create(admin, "/metadata-fields", `{"key":"year","kind":"number"}`),
		"users":             n.userID(adminEmail),
		"roles":             role,
		"workflow-profiles": profile,
	}
	return w
}

// call sends a request as a walker.
func (w walker) call(method, path, body string, header ...string) answer {
	w.t.Helper()
	return w.apiClient.call(method, path, body, append([]string{"Cookie", w.session}, header...)...)
}

// id is of the thing that a path or a field is about; else of nothing.
func (w *walked) id(about string) string {
	about = strings.ToLower(strings.ReplaceAll(about, "-", ""))
	for _, noun := range [][2]string{{"workflowprofile", "workflow-profiles"}, {"metadatafield", "metadata-fields"}, {"item", "items"}, {"hook", "hooks"}, {"role", "roles"},
		{"user", "users"}, {"resetlink", "users"}, {"rotatepassword", "users"}} {
		if strings.Contains(about, noun[0]) {
			return w.ids[noun[1]]
		}
	}
	return uuid.NewString()
}

// leaks names what of the first account an answer shows to who may not see it.
func (w *walked) leaks(who walker, body []byte) (leaked []string) {
	for noun, id := range w.ids {
		if strings.Contains(string(body), id) && (who.stranger || noun == "items") {
			leaked = append(leaked, noun)
		}
	}
	if strings.Contains(string(body), nameOfAll) && who.stranger {
		leaked = append(leaked, nameOfAll)
	}
	return leaked
}

func TestWalk_EveryOperationOfTheContracts(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	for _, document := range []*contract.Document{w.Node.Contract} {
		var spec object
		if err := json.Unmarshal(document.JSON(), &spec); err != nil {
			t.Fatal(err)
		}
		operations := 0
		for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
			methods := spec.at("paths", path)
			for _, method := range slices.Sorted(maps.Keys(methods)) {
				operation, ok := methods[method].(map[string]any)
				if !ok || operation["operationId"] == nil {
					continue
				}
				operations++
				need, ok := operation["x-permission"].(string)
				if !ok || !account.All().Has(account.Permission(need)) {
					t.Errorf("%s %s has no x-permission", method, path)
				}
				mediaType, body := spec.body(operation)
				noun := strings.Split(path, "/")[1]
				at := document.Base() + strings.ReplaceAll(path, "{id}", w.id(noun))
				if strings.Contains(strings.ReplaceAll(path, "{id}", ""), "{") {
					t.Errorf("%s has a parameter that this walk does not know", path)
				}
				for _, name := range slices.Sorted(maps.Keys(w.walkers)) {
					who := w.walkers[name]
					got := who.call(strings.ToUpper(method), at, body, "Content-Type", mediaType)
					w.check(t, fmt.Sprintf("%s %s as %s", method, path, name), who, account.Permission(need), got, noun, strings.Contains(path, "{id}"))
				}
			}
		}
		if operations < 40 {
			t.Errorf("only %d operations were found", operations)
		}
	}
}

func (w *walked) check(t *testing.T, name string, who walker, need account.Permission, got answer, noun string, one bool) {
	t.Helper()
	refused := func(status int, code string) {
		t.Helper()
		if got.status != status || got.code(t) != code {
			t.Errorf("%s: got %d %s, want %d %s", name, got.status, got.body, status, code)
		}
	}
	switch {
	case who.permissions == nil:
		refused(http.StatusUnauthorized, "UNAUTHENTICATED")
	case !who.permissions.Has(account.APIAccess) || !who.permissions.Has(need):
		refused(http.StatusForbidden, "FORBIDDEN")
	case one && (who.stranger || who.hidden && noun == "items"):
		refused(http.StatusNotFound, "NOT_FOUND")
	case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden || got.status >= 500 || got.status == http.StatusBadRequest:
		t.Errorf("%s: got %d %s", name, got.status, got.body)
	}
	if leaked := w.leaks(who, got.body); leaked != nil {
		t.Errorf("%s shows %q: %s", name, leaked, got.body)
	}
	kept := got.header.Get("Cache-Control")
	if kept != "no-store" && (kept != "private, no-cache" || got.status >= 400 || !strings.HasPrefix(name, "get ")) {
		t.Errorf("%s: Cache-Control is %q of a %d", name, kept, got.status)
	}
}

// Pages are the same operations: a form that is offered is one that its user may send, and a page shows no more than the answer.
func TestWalk_EveryPage(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	var spec object
	if err := json.Unmarshal(w.Node.Contract.JSON(), &spec); err != nil {
		t.Fatal(err)
	}
	offers := regexp.MustCompile(`name="_method" value="(\w+)"`)
	for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
		at := w.Node.Contract.Base() + strings.ReplaceAll(path, "{id}", w.id(strings.Split(path, "/")[1]))
		for name, who := range w.walkers {
			got := w.fetchAs(who, at)
			if leaked := w.leaks(who, got.body); leaked != nil && !strings.Contains(at, w.ids[leaked[0]]) {
				t.Errorf("%s as %s shows %q", path, name, leaked)
			}
			if who.permissions == nil && (got.status != http.StatusSeeOther || len(got.body) > 0) {
				t.Errorf("%s as %s: got %d %s", path, name, got.status, got.body)
			}
			if who.permissions != nil && !who.permissions.Has(account.APIAccess) && (got.status != http.StatusForbidden || !strings.Contains(string(got.body), `action="/logout"`)) {
				t.Errorf("%s as %s: got %d, and no way to sign out", path, name, got.status)
			}
			for _, offered := range offers.FindAllSubmatch(got.body, -1) {
				method := strings.ToLower(string(offered[1]))
				if method == "options" {
					continue
				}
				need, _ := spec.at("paths", path, method)["x-permission"].(string)
				if !who.permissions.Has(account.APIAccess) || !who.permissions.Has(account.Permission(need)) {
					t.Errorf("%s offers %s to %s, who lacks %s", path, method, name, need)
				}
			}
		}
	}
}

// fetchAs opens a page as a walker.
func (w *walked) fetchAs(who walker, path string) answer {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+path, http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range map[string]string{"Accept": "text/html", "Authorization": who.authorization, "Cookie": who.session} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := w.browser().Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: body}
}

// object is JSON of which parts are found by their path.
type object map[string]any

func (o object) at(path ...string) object {
	var value any = map[string]any(o)
	for _, name := range path {
		of, _ := value.(map[string]any)
		value = of[name]
	}
	of, _ := value.(map[string]any)
	return of
}

// body is a request's least body that fits the document.
func (o object) body(operation map[string]any) (mediaType, body string) {
	for mediaType, content := range object(operation).at("requestBody", "content") {
		if mediaType == "application/x-ndjson" {
			return mediaType, `{"name":"walked"}`
		}
		of, _ := content.(map[string]any)
		schema, _ := of["schema"].(map[string]any)
		raw, err := json.Marshal(o.sample(schema))
		if err != nil {
			panic(err)
		}
		return mediaType, string(raw)
	}
	return "", ""
}

func (o object) sample(schema map[string]any) any {
	if ref, ok := schema["$ref"].(string); ok {
		return o.sample(o.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...))
	}
	for _, several := range []string{"allOf", "anyOf", "oneOf"} {
		if of, ok := schema[several].([]any); ok {
			return o.sample(of[0].(map[string]any))
		}
	}
	for _, values := range []string{"examples", "enum"} {
		if of, ok := schema[values].([]any); ok && len(of) > 0 {
			return of[0]
		}
	}
	kind := schema["type"]
	if several, ok := kind.([]any); ok {
		kind = several[0]
	}
	switch kind {
	case "object":
		sample := map[string]any{}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			sample[name.(string)] = o.sample(object(schema).at("properties", name.(string)))
		}
		return sample
	case "array":
		if least, ok := schema["minItems"].(float64); ok && least > 0 {
			return []any{o.sample(object(schema).at("items"))}
		}
		return []any{}
	case "integer", "number":
		return 1
	case "boolean":
		return true
	}
	switch schema["format"] {
	case "uuid":
		return uuid.NewString()
	case "uri":
		return "https://example.com/"
	case "date-time":
		return "2026-01-01T00:00:00Z"
	}
	return "x"
}

// graphQLNeeds says of every field which permission it asks for; "" is api.access alone. A field that is missing here fails the test.
var graphQLNeeds = map[string]account.Permission{
	"me": "", "mySessions": "", "changeMyPassword": "", "endMySession": "", "endMySessions": "",
	"item": account.ItemsView, "items": account.ItemsView, "tags": account.ItemsView, "metadataFields": account.ItemsView, "itemChanges": account.ItemsView,
	"createItem": account.ItemsCreate, "replaceItem": account.ItemsEdit, "updateItem": account.ItemsEdit, "deleteItem": account.ItemsDelete, "triggerItemHook": account.ItemsEdit,
	"createMetadataField": account.WorkflowsManage, "updateMetadataField": account.WorkflowsManage, "deleteMetadataField": account.WorkflowsManage,
	"workflowProfiles": account.ItemsView, "workflowProfile": account.ItemsView, "createWorkflowProfile": account.WorkflowsManage,
	"updateWorkflowProfile": account.WorkflowsManage, "deleteWorkflowProfile": account.WorkflowsManage,
	"users": account.UsersManage, "user": account.UsersManage, "createUser": account.UsersManage, "updateUser": account.UsersManage, "deleteUser": account.UsersManage,
	"createResetLink": account.UsersManage, "rotatePassword": account.UsersManage, "audit": account.UsersManage,
	"roles": account.UsersManage, "role": account.UsersManage, "createRole": account.UsersManage, "updateRole": account.UsersManage, "deleteRole": account.UsersManage,
}

// needOf knows of fields about hooks by their name: there is one permission for all of them.
func needOf(field string) (account.Permission, bool) {
	if need, ok := graphQLNeeds[field]; ok {
		return need, true
	}
	lower := strings.ToLower(field)
	return account.HooksManage, strings.Contains(lower, "hook") || strings.Contains(lower, "deliver")
}

func TestWalk_EveryFieldOfGraphQL(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	schema := w.introspect()
	fields := 0
	for root, operation := range map[string]string{"Query": "query", "Mutation": "mutation", "Subscription": "subscription"} {
		for _, field := range schema[root].Fields {
			fields++
			need, known := needOf(field.Name)
			if !known {
				t.Errorf("%s.%s: name its permission in graphQLNeeds", root, field.Name)
				continue
			}
			query, variables, one := w.operation(schema, operation, field)
			for _, name := range slices.Sorted(maps.Keys(w.walkers)) {
				who := w.walkers[name]
				if root == "Subscription" && who.permissions.Has(account.APIAccess) && who.permissions.Has(need) {
					continue // it would be followed for ever: what comes is TestProfiles' and TestTenancy's
				}
				w.ask(t, fmt.Sprintf("%s.%s as %s", root, field.Name, name), who, need, query, variables, operation, one)
			}
		}
	}
	if fields < 40 {
		t.Errorf("only %d fields were found", fields)
	}
}

func (w *walked) ask(t *testing.T, name string, who walker, need account.Permission, query string, variables vars, operation string, one bool) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	accept := "application/json"
	if operation == "subscription" {
		accept = "text/event-stream"
	}
	got := who.call(http.MethodPost, "/graphql", string(body), "Accept", accept)
	if kept := got.header.Get("Cache-Control"); kept != "no-store" {
		t.Errorf("%s: Cache-Control is %q", name, kept)
	}
	if leaked := w.leaks(who, got.body); leaked != nil {
		t.Errorf("%s shows %q: %s", name, leaked, got.body)
	}
	says := func(code string) bool { return strings.Contains(string(got.body), `"code":"`+code+`"`) }
	switch {
	case who.permissions == nil:
		if got.status != http.StatusUnauthorized || !says("UNAUTHENTICATED") {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	case !who.permissions.Has(account.APIAccess):
		if got.status != http.StatusForbidden || !says("FORBIDDEN") {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	case need != "" && !who.permissions.Has(need):
		if !says("FORBIDDEN") {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	case one && (who.stranger || who.hidden && strings.Contains(strings.ToLower(name), "item")):
		if !says("NOT_FOUND") && !strings.Contains(string(got.body), `:null}}`) {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	case says("FORBIDDEN"), says("UNAUTHENTICATED"), says("INTERNAL"), says("GRAPHQL_VALIDATION_FAILED"):
		t.Errorf("%s: got %d %s", name, got.status, got.body)
	}
}

// What introspection tells of a type.
type (
	graphQLType struct {
		Kind, Name  string
		Fields      []graphQLField
		InputFields []graphQLArgument
		EnumValues  []struct{ Name string }
	}
	graphQLField struct {
		Name string
		Args []graphQLArgument
		Type graphQLRef
	}
	graphQLArgument struct {
		Name         string
		Type         graphQLRef
		DefaultValue *string
	}
	graphQLRef struct {
		Kind, Name string
		OfType     *graphQLRef
	}
)

func (r graphQLRef) String() string {
	switch r.Kind {
	case "NON_NULL":
		return r.OfType.String() + "!"
	case "LIST":
		return "[" + r.OfType.String() + "]"
	}
	return r.Name
}

func (r graphQLRef) bare() string { return strings.Trim(r.String(), "[]!") }

func (w *walked) introspect() map[string]graphQLType {
	const ref = `{ kind name ofType { kind name ofType { kind name ofType { kind name } } } }`
	data := w.graphql(`{ __schema { types { kind name fields { name args { name defaultValue type `+ref+` } type `+ref+` } inputFields { name defaultValue type `+ref+` } enumValues { name } } } }`, nil)
	var got struct {
		Schema struct{ Types []graphQLType } `json:"__schema"`
	}
	if err := json.Unmarshal(data, &got); err != nil {
		w.t.Fatal(err)
	}
	types := map[string]graphQLType{}
	for _, one := range got.Schema.Types {
		types[one.Name] = one
	}
	return types
}

// operation asks for a field with the least that it needs, and all that it shows; one says that it is of one thing, by its id.
func (w *walked) operation(types map[string]graphQLType, kind string, field graphQLField) (query string, variables vars, one bool) {
	variables = vars{}
	var declared, given []string
	for _, argument := range field.Args {
		optional := argument.Type.Kind != "NON_NULL" || argument.DefaultValue != nil
		if replay := field.Name == "replayHook" && argument.Name == "since"; optional && !replay { // which has a choice of two
			continue
		}
		declared = append(declared, "$"+argument.Name+": "+argument.Type.String())
		given = append(given, argument.Name+": $"+argument.Name)
		variables[argument.Name] = w.value(types, field.Name, argument)
		one = one || argument.Type.bare() == "ID"
	}
	brackets := func(of []string) string {
		if len(of) == 0 {
			return ""
		}
		return "(" + strings.Join(of, ", ") + ")"
	}
	return kind + brackets(declared) + " { " + field.Name + brackets(given) + selection(types, field.Type, 3) + " }", variables, one
}

func (w *walked) value(types map[string]graphQLType, field string, argument graphQLArgument) any {
	of := argument.Type
	if of.Kind == "NON_NULL" {
		of = *of.OfType
	}
	named := types[of.Name]
	switch {
	case of.Kind == "LIST":
		return []any{}
	case of.Kind == "ENUM":
		return named.EnumValues[0].Name
	case of.Kind == "INPUT_OBJECT":
		input := map[string]any{}
		for _, one := range named.InputFields {
			if one.Type.Kind == "NON_NULL" && one.DefaultValue == nil {
				input[one.Name] = w.value(types, one.Name, one)
			}
		}
		return input
	case of.Name == "ID":
		return w.id(field + argument.Name)
	case of.Name == "Int" || of.Name == "Float":
		return 1
	case of.Name == "Boolean":
		return true
	case of.Name == "DateTime":
		return "2026-01-01T00:00:00Z"
	}
	return map[string]string{"email": "x@example.com", "url": "https://example.com/", "contentType": "video/mp4"}[argument.Name] + map[bool]string{true: "", false: "x"}[argument.Name == "email" || argument.Name == "url"]
}

func selection(types map[string]graphQLType, of graphQLRef, depth int) string {
	fields := types[of.bare()].Fields
	if len(fields) == 0 {
		return ""
	}
	var out []string
	for _, field := range fields {
		switch {
		case len(field.Args) > 0, depth == 0 && len(types[field.Type.bare()].Fields) > 0:
		default:
			out = append(out, field.Name+selection(types, field.Type, depth-1))
		}
	}
	if len(out) == 0 {
		return " { __typename }"
	}
	return " { " + strings.Join(out, " ") + " }"
}
