package node_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// graphQLNeeds has the permission that each field requires; "" is api.access alone. A field that is missing here
// fails the test.
var graphQLNeeds = map[string]account.Permission{
	"me": "", "account": "", "updateAccount": account.UsersManage, "node": "", "mySessions": "", "changeMyPassword": "", "endMySession": "", "endMySessions": "",
	"accessTokens": "", "accessToken": "", "createAccessToken": "", "updateAccessToken": "", "rotateAccessToken": "",
	"revokeAccessToken": "",
	"item":              account.ItemsView, "items": account.ItemsView, "tags": account.ItemsView, "metadataFields": account.ItemsView,
	"itemChanges": account.ItemsView,
	"myViews":     account.ItemsView, "saveMyView": account.ItemsView, "removeMyView": account.ItemsView,
	"createItem": account.ItemsCreate, "replaceItem": account.ItemsEdit, "updateItem": account.ItemsEdit,
	"deleteItem": account.ItemsDelete, "triggerItemHook": account.ItemsEdit,
	"deleteAsset": account.ItemsEdit, "deleteSnapshot": account.ItemsEdit, "setPoster": account.ItemsEdit,
	"createMediaLinks":    account.ItemsView,
	"addAssetByUrl":       account.ItemsEdit,
	"createMetadataField": account.WorkflowsManage, "updateMetadataField": account.WorkflowsManage,
	"deleteMetadataField": account.WorkflowsManage,
	"workflowProfiles":    account.ItemsView, "workflowProfile": account.ItemsView,
	"createWorkflowProfile": account.WorkflowsManage,
	"updateWorkflowProfile": account.WorkflowsManage, "deleteWorkflowProfile": account.WorkflowsManage,
	"copyWorkflowProfile": account.WorkflowsManage, "rotateWorkflowSecret": account.WorkflowsManage,
	"workflowProfileCheck": account.WorkflowsManage,
	"workflows":            account.ItemsView, "workflowChanges": account.ItemsView, "startWorkflow": account.WorkflowsAct,
	"cancelWorkflow": account.WorkflowsAct, "completeAction": account.WorkflowsAct,
	"approveAction": account.WorkflowsAct, "rejectAction": account.WorkflowsAct,
	"uploads": account.UploadsManage, "stopUpload": account.UploadsManage,
	"users": account.UsersManage, "user": account.UsersManage, "createUser": account.UsersManage,
	"updateUser": account.UsersManage, "deleteUser": account.UsersManage,
	"createResetLink": account.UsersManage, "rotatePassword": account.UsersManage, "audit": account.UsersManage,
	"roles": account.UsersManage, "role": account.UsersManage, "createRole": account.UsersManage,
	"updateRole": account.UsersManage, "deleteRole": account.UsersManage,
}

// needOf returns the permission that a field requires. All fields about hooks require the same.
func needOf(field string) (account.Permission, bool) {
	if need, ok := graphQLNeeds[field]; ok {
		return need, true
	}
	lower := strings.ToLower(field)
	return account.HooksManage, strings.Contains(lower, "hook") || strings.Contains(lower, "deliver")
}

func TestWalk_EveryGraphQLFieldChecksPermissions(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	schema := w.introspect()
	fields := 0
	for root, operation := range map[string]string{"Query": "query", "Mutation": "mutation",
		"Subscription": "subscription"} {
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
				if root == "Subscription" && who.permissions.Has(account.APIAccess) && who.permissions.Has(need) && !who.foreign {
					continue // it would never end; TestProfiles and TestTenancy test the events
				}
				w.ask(t, fmt.Sprintf("%s.%s as %s", root, field.Name, name), who, need, query, variables, operation, one)
			}
		}
	}
	if fields < 40 {
		t.Errorf("only %d fields were found", fields)
	}
}

// The field node shows an object if and only if the field of its type does, and answers null without an error else.
func TestWalk_NodeShowsWhatTheFieldOfItsTypeShows(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	shown := 0
	w.walkers["administrator"] = walker{Client: w.As(nodetest.AdminEmail, nodetest.AdminPassword), permissions: account.All()}
	for noun, field := range map[string]string{"items": "item", "hooks": "hook", "users": "user", "roles": "role", "tokens": "accessToken",
		"workflow-profiles": "workflowProfile", "metadata-fields": ""} {
		for name, who := range w.walkers {
			if !who.permissions.Has(account.APIAccess) || who.foreign {
				continue // refused before
			}
			got, codes := who.TryGraphQL(`query ($id: ID!) { node(id: $id) { __typename id } }`, nodetest.Vars{"id": w.ids[noun]})
			if got.Status != http.StatusOK || codes != nil {
				t.Errorf("%s as %s: got %d %s", noun, name, got.Status, got.Body)
			}
			visible := strings.Contains(string(got.Body), w.ids[noun])
			query, variables := `query ($id: ID!) { `+field+`(id: $id) { id } }`, nodetest.Vars{"id": w.ids[noun]}
			if field == "" {
				query, variables = `{ metadataFields { id } }`, nil
			}
			alone, _ := who.TryGraphQL(query, variables)
			if want := strings.Contains(string(alone.Body), w.ids[noun]); visible != want {
				t.Errorf("%s as %s: node shows it: %v, its own field: %v", noun, name, visible, want)
			}
			if visible {
				shown++
			}
		}
	}
	if shown < 5 {
		t.Errorf("the walkers see only %d objects", shown)
	}
}

func (w *walked) ask(t *testing.T, name string, who walker, need account.Permission, query string,
	variables nodetest.Vars, operation string, one bool) {
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
	if kept := got.Header.Get("Cache-Control"); kept != "no-store" {
		t.Errorf("%s: Cache-Control is %q", name, kept)
	}
	if leaked := w.leaks(who, got.Body); leaked != nil {
		t.Errorf("%s shows %q: %s", name, leaked, got.Body)
	}
	says := func(code string) bool { return strings.Contains(string(got.Body), `"code":"`+code+`"`) }
	switch {
	case who.foreign:
		if got.Status != http.StatusForbidden || !says("ORIGIN_NOT_ALLOWED") {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	case who.permissions == nil:
		if got.Status != http.StatusUnauthorized || !says("UNAUTHENTICATED") {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	case !who.permissions.Has(account.APIAccess):
		if got.Status != http.StatusForbidden || !says("FORBIDDEN") {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	case need != "" && !who.permissions.Has(need), who.token && selfOnly(name):
		if !says("FORBIDDEN") {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	case one && (who.stranger || who.hidden && strings.Contains(strings.ToLower(called(name)), "item")):
		if !says("NOT_FOUND") && !strings.Contains(string(got.Body), `:null}}`) {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
	case says("FORBIDDEN"), says("UNAUTHENTICATED"), says("INTERNAL"), says("GRAPHQL_VALIDATION_FAILED"):
		t.Errorf("%s: got %d %s", name, got.Status, got.Body)
	}
}

// Types of an introspection result.
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
	data := w.GraphQL(`{ __schema { types { kind name fields { name args { name defaultValue type `+ref+` } type `+ref+
		` } inputFields { name defaultValue type `+ref+` } enumValues { name } } } }`, nil)
	var got struct {
		Schema struct{ Types []graphQLType } `json:"__schema"`
	}
	if err := json.Unmarshal(data, &got); err != nil {
		w.T.Fatal(err)
	}
	types := map[string]graphQLType{}
	for _, one := range got.Schema.Types {
		types[one.Name] = one
	}
	return types
}

// operation returns an operation with a field's required arguments and all of its fields. one reports that the field is
// about one resource, by its id.
func (w *walked) operation(types map[string]graphQLType, kind string, field graphQLField) (query string,
	variables nodetest.Vars, one bool) {
	variables = nodetest.Vars{}
	var declared, given []string
	for _, argument := range field.Args {
		optional := argument.Type.Kind != "NON_NULL" || argument.DefaultValue != nil
		// required unless after is given
		if replay := field.Name == "replayHook" && argument.Name == "since"; optional && !replay {
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
	return kind + brackets(declared) + " { " + field.Name + brackets(given) + selection(types, field.Type, 3) +
		" }", variables, one
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
	return map[string]string{"email": "x@example.com", "url": "https://example.com/",
		"contentType": "video/mp4"}[argument.Name] + map[bool]string{true: "",
		false: "x"}[argument.Name == "email" || argument.Name == "url"]
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
