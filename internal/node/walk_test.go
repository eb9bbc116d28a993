package node_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/bearer"
	"itemcast/internal/contract"
	"itemcast/internal/node/nodetest"
)

// These tests walk all operations of the contract and all fields of the GraphQL schema, so that they include new ones
// by themselves. They call each as nobody, as a user without api.access, as users who lack a permission, as an editor
// of another profile, as another account's administrator, and with access tokens.

// called returns the operation or the field of a call, which is named "what as whom".
func called(call string) string {
	what, _, _ := strings.Cut(call, " as ")
	return what
}

// walked is a node with one of everything. Its walkers may not see them.
type walked struct {
	*nodetest.Node
	ids     map[string]string // by the path's first segment
	walkers map[string]walker
}

type walker struct {
	*nodetest.Client
	permissions account.Permissions // nil: not signed in
	session     string              // the Cookie header
	stranger    bool                // of another account
	hidden      bool                // the items' profile is limited to another role
	token       bool                // came with an access token
	foreign     bool                // with one that is not for pages of its origin
	header      []string            // of every request
}

// selfOnly reports whether only a user who has signed in may make a call, and no access token without users.manage.
func selfOnly(call string) bool {
	name := called(call)
	for _, about := range []string{"/tokens", "/me/", "AccessToken", "accessToken", "MyPassword", "MySession", "mySession", "MyView", "myViews"} {
		if strings.Contains(name, about) {
			return true
		}
	}
	return false
}

// takesTickets reports whether an operation needs an upload ticket and no user. Package oneshot tests it.
func takesTickets(operation map[string]any) bool { return operation["x-access"] == "ticket" }

const secretName = "Not for walkers"

func startWalk(t *testing.T) *walked {
	n := nodetest.Start(t)
	all := account.All()
	without := slices.DeleteFunc(account.All(), func(p account.Permission) bool { return p == account.APIAccess })
	editing := account.Permissions{account.APIAccess, account.ItemsView, account.ItemsCreate, account.ItemsEdit,
		account.ItemsDelete, account.ItemsPublish, account.WorkflowsAct}
	made := func(email string, permissions account.Permissions) walker {
		return walker{Client: n.CreateUser(email, n.CreateRole(email, permissions...)), permissions: permissions}
	}
	w := &walked{Node: n, walkers: map[string]walker{
		"nobody":           {Client: n.WithAuthorization("")},
		"an ended session": {Client: n.WithAuthorization(""), session: "itemcast_session=NOTHINGATALL"},
		"no api.access":    made("outsider@example.com", without),
		"api.access alone": made("bare@example.com", account.Permissions{account.APIAccess}),
		"viewer":           made("viewer@example.com", account.Permissions{account.APIAccess, account.ItemsView}),
		"another's editor": made("editor@example.com", editing),
		"stranger":         {Client: n.CreateStranger(), permissions: all, stranger: true},
	}}
	browser := n.Browser()
	n.Login(browser, "outsider@example.com", nodetest.UserPassword)
	w.walkers["no api.access, by session"] = walker{Client: n.WithAuthorization(""), session: n.Cookies(browser),
		permissions: without}
	for name, one := range w.walkers {
		one.hidden = !one.stranger
		w.walkers[name] = one
	}
	owner, role := n.CreateEditor("owner")
	const otherPage = "https://other.example"
	token := func(of nodetest.Token) *nodetest.Client {
		of.PerMinute = 60_000 // no walk is longer
		return n.InsertToken(of).Client
	}
	w.walkers["token with items.view on one tag"] = walker{token: true, hidden: true,
		permissions: account.Permissions{account.APIAccess, account.ItemsView},
		Client: token(nodetest.Token{Of: "owner@example.com", Permissions: account.Permissions{account.ItemsView},
			Filter: nodetest.Vars{"tags": []string{"public"}}})}
	w.walkers["token of a maker who lost api.access"] = walker{token: true, hidden: true, permissions: without,
		Client: token(nodetest.Token{Of: "outsider@example.com", Permissions: all})}
	w.walkers["token from another origin"] = walker{token: true, hidden: true, permissions: all, foreign: true,
		Client: token(nodetest.Token{Permissions: all, Origins: []string{"https://app.example"}}),
		header: []string{"Origin", otherPage}}
	w.walkers["token for pages from no page"] = walker{token: true, hidden: true, permissions: all, foreign: true,
		Client: token(nodetest.Token{Permissions: all, Origins: []string{"https://app.example"}})}
	profile := n.CreateProfile(secretName, role)
	create := func(by *nodetest.Client, path, body string) string {
		return by.Call(http.MethodPost, "/api/v1"+path, body).WantStatus(t, http.StatusCreated).Field(t, "id")
	}
	admin := n.As(nodetest.AdminEmail, nodetest.AdminPassword)
	w.ids = map[string]string{
		"items":             create(owner, "/items", `{"name":"`+secretName+`","workflow_profile_id":"`+profile+`"}`),
		"hooks":             create(admin, "/hooks", `{"url":"https://example.com/","active":false}`),
		"metadata-fields":   create(admin, "/metadata-fields", `{"key":"year","kind":"number"}`),
		"tokens":            create(admin, "/tokens", `{"name":"`+secretName+`","permissions":["items.view"]}`),
		"users":             n.UserID(nodetest.AdminEmail),
		"roles":             role,
		"workflow-profiles": profile,
	}
	return w
}

// call sends a request as the walker.
func (w walker) call(method, path, body string, header ...string) nodetest.Response {
	w.T.Helper()
	return w.Call(method, path, body, slices.Concat([]string{"Cookie", w.session}, w.header, header)...)
}

// id returns the id of the resource that a path or a field is about; else an unknown id.
func (w *walked) id(about string) string {
	about = strings.ToLower(strings.ReplaceAll(about, "-", ""))
	for _, noun := range [][2]string{{"workflowprofile", "workflow-profiles"}, {"workflowsecret", "workflow-profiles"}, {"metadatafield", "metadata-fields"},
		{"token", "tokens"}, {"item", "items"}, {"hook", "hooks"}, {"role", "roles"},
		{"user", "users"}, {"resetlink", "users"}, {"rotatepassword", "users"}} {
		if strings.Contains(about, noun[0]) {
			return w.ids[noun[1]]
		}
	}
	return uuid.NewString()
}

// fill gives the parameters of a path the values of a resource that there is.
func (w *walked) fill(path string) string {
	noun := strings.Split(path, "/")[1]
	return strings.NewReplacer("{id}", w.id(noun), "{version}", "1", "{key}", "review", "{asset_id}", uuid.NewString(),
		"{snapshot_id}", uuid.NewString()).Replace(path)
}

// leaks returns the resources that a response shows although the walker may not see them.
func (w *walked) leaks(who walker, body []byte) (leaked []string) {
	for noun, id := range w.ids {
		if strings.Contains(string(body), id) && (who.stranger || noun == "items" || noun == "tokens") {
			leaked = append(leaked, noun)
		}
	}
	if strings.Contains(string(body), secretName) && who.stranger {
		leaked = append(leaked, secretName)
	}
	return leaked
}

func TestWalk_EveryOperationChecksPermissions(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	for _, document := range []*contract.Document{w.Contract} {
		var spec object
		if err := json.Unmarshal(document.JSON(), &spec); err != nil {
			t.Fatal(err)
		}
		operations := 0
		for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
			methods := spec.at("paths", path)
			for _, method := range slices.Sorted(maps.Keys(methods)) {
				operation, ok := methods[method].(map[string]any)
				if !ok || operation["operationId"] == nil || takesTickets(operation) {
					continue
				}
				operations++
				need, ok := operation["x-permission"].(string)
				if !ok || !account.All().Has(account.Permission(need)) {
					t.Errorf("%s %s has no x-permission", method, path)
				}
				mediaType, body := spec.body(operation)
				noun := strings.Split(path, "/")[1]
				at := document.Base() + w.fill(path)
				if strings.Contains(at, "{") {
					t.Errorf("%s has a parameter that this walk does not know", path)
				}
				for _, name := range slices.Sorted(maps.Keys(w.walkers)) {
					who := w.walkers[name]
					got := who.call(strings.ToUpper(method), at, body, "Content-Type", mediaType)
					w.check(t, fmt.Sprintf("%s %s as %s", method, path, name), who, account.Permission(need), got, noun,
						strings.Contains(path, "{id}"))
				}
			}
		}
		if operations < 40 {
			t.Errorf("only %d operations were found", operations)
		}
	}
}

func (w *walked) check(t *testing.T, name string, who walker, need account.Permission, got nodetest.Response,
	noun string, one bool) {
	t.Helper()
	refused := func(status int, code string) {
		t.Helper()
		if got.Status != status || got.Code(t) != code {
			t.Errorf("%s: got %d %s, want %d %s", name, got.Status, got.Body, status, code)
		}
	}
	switch {
	case who.foreign:
		refused(http.StatusForbidden, "ORIGIN_NOT_ALLOWED")
	case who.permissions == nil:
		refused(http.StatusUnauthorized, "UNAUTHENTICATED")
	case !who.permissions.Has(account.APIAccess) || !who.permissions.Has(need), who.token && selfOnly(name):
		refused(http.StatusForbidden, "FORBIDDEN")
	case one && (who.stranger || who.hidden && noun == "items"):
		refused(http.StatusNotFound, "NOT_FOUND")
	case got.Status == http.StatusUnauthorized || got.Status == http.StatusForbidden || got.Status >= 500 ||
		got.Status == http.StatusBadRequest:
		t.Errorf("%s: got %d %s", name, got.Status, got.Body)
	}
	if leaked := w.leaks(who, got.Body); leaked != nil {
		t.Errorf("%s shows %q: %s", name, leaked, got.Body)
	}
	kept := got.Header.Get("Cache-Control")
	if kept != "no-store" && (kept != "private, no-cache" || got.Status >= 400 || !strings.HasPrefix(name, "get ")) {
		t.Errorf("%s: Cache-Control is %q of a %d", name, kept, got.Status)
	}
}

// A page offers only the forms that its user may send, and shows no more than the response.
func TestWalk_EveryPageChecksPermissions(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	var spec object
	if err := json.Unmarshal(w.Contract.JSON(), &spec); err != nil {
		t.Fatal(err)
	}
	offers := regexp.MustCompile(`name="_method" value="(\w+)"`)
	for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
		at := w.Contract.Base() + w.fill(path)
		for name, who := range w.walkers {
			got := who.Page(w.Browser(), at, append([]string{"Cookie", who.session}, who.header...)...)
			if leaked := w.leaks(who, got.Body); leaked != nil && !strings.Contains(at, w.ids[leaked[0]]) {
				t.Errorf("%s as %s shows %q", path, name, leaked)
			}
			if who.permissions == nil && (got.Status != http.StatusSeeOther || len(got.Body) > 0) {
				t.Errorf("%s as %s: got %d %s", path, name, got.Status, got.Body)
			}
			if who.foreign && got.Status != http.StatusForbidden {
				t.Errorf("%s as %s: got %d %s", path, name, got.Status, got.Body)
			}
			signsOut := !bearer.In(http.Header{"Authorization": {who.Authorization}}) // a token has no session to end
			if who.permissions != nil && !who.permissions.Has(account.APIAccess) && (got.Status != http.StatusForbidden ||
				signsOut != strings.Contains(string(got.Body), `action="/logout"`)) {
				t.Errorf("%s as %s: got %d, and not the right form to sign out", path, name, got.Status)
			}
			for _, offered := range offers.FindAllSubmatch(got.Body, -1) {
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
