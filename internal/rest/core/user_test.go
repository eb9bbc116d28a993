package core_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

func TestUsers_TheLastAdministratorCannotBeRemoved(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	admin, viewer := "/api/v1/users/"+n.UserID(nodetest.AdminEmail), n.RoleID("Viewer")
	for _, c := range [][3]string{
		{http.MethodPatch, admin, `{"active":false}`}, {http.MethodPatch, admin, `{"role_id":"` + viewer + `"}`},
		{http.MethodDelete, admin, ""},
		{http.MethodPatch, "/api/v1/roles/" + n.RoleID("Administrator"), `{"permissions":["api.access"]}`},
	} {
		n.Call(c[0], c[1], c[2]).WantProblem(t, c[0]+c[2], http.StatusConflict, "CONFLICT")
	}
	// An API user and a user without a password do not count: neither can sign in on the pages.
	administrator := n.RoleID("Administrator")
	n.Call(http.MethodPost, "/api/v1/users", `{"email":"bot@example.com","kind":"api","role_id":"`+administrator+`"}`).
		WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/api/v1/users", `{"email":"new@example.com","role_id":"`+administrator+`"}`).
		WantStatus(t, http.StatusCreated)
	n.Call(http.MethodDelete, admin, "").WantProblem(t, "beside an API user", http.StatusConflict, "CONFLICT")

	// Of two administrators who disable each other at the same time, one stays.
	second := n.CreateUser("second@example.com", administrator)
	results := make(chan int, 2)
	go func() {
		results <- n.Call(http.MethodPatch, "/api/v1/users/"+n.UserID("second@example.com"), `{"active":false}`).Status
	}()
	go func() { results <- second.Call(http.MethodPatch, admin, `{"active":false}`).Status }()
	<-results
	<-results
	var left int
	if err := n.Pool.QueryRow(t.Context(), "SELECT count(*) FROM app_user WHERE active AND email = ANY ($1)",
		[]string{nodetest.AdminEmail, "second@example.com"}).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d administrators are left, %v", left, err)
	}
}

func TestUsers_ManagersCannotGrantOrChangePermissionsThatTheyLack(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	manager := n.CreateUser("manager@example.com",
		n.CreateRole("Manager", account.APIAccess, account.UsersManage, account.ItemsView))
	admin, administrator, viewer := "/api/v1/users/"+
		n.UserID(nodetest.AdminEmail), n.RoleID("Administrator"), n.RoleID("Viewer")
	own := "/api/v1/users/" + n.UserID("manager@example.com")
	for _, c := range [][3]string{
		{http.MethodPost, "/api/v1/users",
			`{"email":"x@example.com","role_id":"` + administrator + `","password":"` + nodetest.UserPassword + `"}`},
		{http.MethodPatch, own, `{"role_id":"` + administrator + `"}`},
		{http.MethodPatch, admin, `{"password":"` + nodetest.UserPassword + `"}`},
		{http.MethodPatch, admin, `{"email":"mine@example.com"}`},
		{http.MethodDelete, admin, ""}, {http.MethodPost, admin + "/reset-link", ""},
		{http.MethodPost, "/api/v1/roles", `{"name":"More","permissions":["hooks.manage"]}`},
		{http.MethodPatch, "/api/v1/roles/" + n.RoleID("Manager"),
			`{"permissions":["api.access","users.manage","items.delete"]}`},
		{http.MethodPatch, "/api/v1/roles/" + administrator, `{"permissions":["api.access"]}`},
		{http.MethodDelete, "/api/v1/roles/" + administrator, ""},
	} {
		manager.Call(c[0], c[1], c[2]).WantProblem(t, c[0]+" "+c[1]+" "+c[2], http.StatusForbidden, "FORBIDDEN")
	}
	// You cannot remove an administrator who holds a permission that no other administrator has.
	for _, c := range [][2]string{{http.MethodPatch, `{"active":false}`},
		{http.MethodPatch, `{"role_id":"` + viewer + `"}`}, {http.MethodDelete, ""}} {
		n.Call(c[0], admin, c[1]).WantProblem(t, c[0]+" the last with all permissions", http.StatusConflict, "CONFLICT")
	}
	n.CreateUser("equal@example.com", administrator).Call(http.MethodPatch, admin, `{"role_id":"`+viewer+`"}`).
		WantStatus(t, http.StatusOK)
	manager.Call(http.MethodPost, "/api/v1/users",
		`{"email":"y@example.com","role_id":"`+viewer+`","password":"`+nodetest.UserPassword+`"}`).
		WantStatus(t, http.StatusCreated)
}

func TestUsers_ReportAllFaultsAndCheckTheRevision(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer := n.RoleID("Viewer")
	got := n.Call(http.MethodPost, "/api/v1/users", `{"email":"no address","name":1,"kind":"robot","x":1}`).
		WantProblem(t, "faults", http.StatusBadRequest, "INVALID_INPUT")
	if places := got.FaultPlaces(t); len(places) != 5 {
		t.Errorf("faults at %q", places)
	}
	for password, why := range map[string]string{"short": "8 characters", "password1": "common",
		"ada@example.com": "address", "aaaaaaaaaa": "common", "12345678": "common"} {
		got := n.Call(http.MethodPost, "/api/v1/users",
			fmt.Sprintf(`{"email":"ada@example.com","role_id":%q,"password":%q}`, viewer, password))
		got.WantProblem(t, password, http.StatusUnprocessableEntity, "RULE_VIOLATED")
		if !strings.Contains(string(got.Body), why) {
			t.Errorf("%s: %s", password, got.Body)
		}
	}
	made := n.Call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","role_id":"`+viewer+`"}`,
		"Idempotency-Key", "k").WantStatus(t, http.StatusCreated)
	again := n.Call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","role_id":"`+viewer+`"}`,
		"Idempotency-Key", "k").WantStatus(t, http.StatusCreated)
	if made.Field(t, "id") != again.Field(t, "id") {
		t.Error("a repeated request created another user")
	}
	n.Call(http.MethodPost, "/api/v1/users", `{"email":"ADA@example.com","role_id":"`+viewer+`"}`).
		WantProblem(t, "taken", http.StatusConflict, "CONFLICT")
	path := "/api/v1/users/" + made.Field(t, "id")
	changed := n.Call(http.MethodPatch, path, `{"name":"Ada"}`, "If-Match", made.Header.Get("ETag")).
		WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, path, `{"name":"Eve"}`, "If-Match", made.Header.Get("ETag")).
		WantProblem(t, "stale", http.StatusPreconditionFailed, "REVISION_MISMATCH")
	if read := n.Call(http.MethodGet, path, "").
		WantStatus(t, http.StatusOK); read.Header.Get("ETag") != changed.Header.Get("ETag") ||
		read.Field(t, "name") != "Ada" {
		t.Errorf("got %s", read.Body)
	}
	n.Call(http.MethodDelete, "/api/v1/roles/"+viewer, "").WantProblem(t, "in use", http.StatusConflict, "CONFLICT")
}

// Roles also have distinct names.
func TestNames_HaveNoInvisibleCharacters(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer := n.RoleID("Viewer")
	user := n.Call(http.MethodPost, "/api/v1/users",
		`{"email":"ada@example.com","name":" Ada\u3000Lovelace ","role_id":"`+viewer+`"}`).
		WantStatus(t, http.StatusCreated)
	if got := user.Field(t, "name"); got != "Ada\u3000Lovelace" {
		t.Errorf("the name is %q", got)
	}
	role, profile := n.CreateRole("Archivist"), n.CreateProfile(" Newsroom ")
	if got := n.Call(http.MethodGet, "/api/v1/workflow-profiles/"+profile, "").WantStatus(t, http.StatusOK).
		Field(t, "name"); got != "Newsroom" {
		t.Errorf("the profile is %q", got)
	}
	for _, hidden := range []string{`\u001b[2J`, `\r\n`, `\t`, `\u0085`, `\u202e`, `\u200b`, `\ufeff`, `\u2028`,
		`\u2029`} {
		for _, c := range [][3]string{
			{http.MethodPost, "/api/v1/users",
				`{"email":"eve@example.com","role_id":"` + viewer + `","name":"Ad` + hidden + `a"}`},
			{http.MethodPost, "/api/v1/users", `{"email":"e` + hidden + `ve@example.com","role_id":"` + viewer + `"}`},
			{http.MethodPatch, "/api/v1/users/" + user.Field(t, "id"), `{"name":"Ad` + hidden + `a"}`},
			{http.MethodPatch, "/api/v1/users/" + user.Field(t, "id"), `{"email":"ad` + hidden + `a@example.com"}`},
			{http.MethodPost, "/api/v1/roles", `{"permissions":[],"name":"Admin` + hidden + `istrator"}`},
			{http.MethodPatch, "/api/v1/roles/" + role, `{"name":"Admin` + hidden + `istrator"}`},
			{http.MethodPost, "/api/v1/workflow-profiles", `{"name":"News` + hidden + `room"}`},
			{http.MethodPatch, "/api/v1/workflow-profiles/" + profile, `{"name":"News` + hidden + `room"}`},
		} {
			n.Call(c[0], c[1], c[2]).WantProblem(t, c[0]+" "+c[1]+" "+c[2], http.StatusBadRequest, "INVALID_INPUT")
		}
	}
	n.Call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com\u00a0","role_id":"`+viewer+`"}`).
		WantProblem(t, "a space", http.StatusBadRequest, "INVALID_INPUT")
	for _, name := range []string{"Administrator ", "ADMINISTRATOR", "\u00a0administrator"} {
		n.Call(http.MethodPost, "/api/v1/roles", fmt.Sprintf(`{"name":%q,"permissions":[]}`, name)).
			WantProblem(t, name, http.StatusConflict, "CONFLICT")
		n.Call(http.MethodPatch, "/api/v1/roles/"+role, fmt.Sprintf(`{"name":%q}`, name)).
			WantProblem(t, name, http.StatusConflict, "CONFLICT")
	}
	n.Call(http.MethodPatch, "/api/v1/roles/"+role, `{"name":" ARCHIVIST"}`).WantStatus(t, http.StatusOK)

	// Rows with names from before these rules can be changed all the same.
	for _, statement := range []string{"UPDATE app_user SET name = E'Ad\\u200ba' WHERE email = 'ada@example.com'",
		"UPDATE role SET name = E'Arch\\u200bivist' WHERE name = 'ARCHIVIST'",
		"UPDATE workflow_profile SET name = E'News\\u200broom'"} {
		if _, err := n.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	n.Call(http.MethodPatch, "/api/v1/users/"+user.Field(t, "id"), `{"active":false}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, "/api/v1/roles/"+role, `{"permissions":["items.view"]}`).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"description":"news"}`).
		WantStatus(t, http.StatusOK)
}

func TestUsers_ListHasFilters(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer, editor := n.RoleID("Viewer"), n.RoleID("Editor")
	for _, body := range []string{
		`{"email":"ada@example.com","name":"Ada Lovelace","role_id":"` + viewer + `"}`,
		`{"email":"feed@example.com","name":"100% Ärger","kind":"api","role_id":"` + editor + `"}`,
		`{"email":"eve@example.com","active":false,"role_id":"` + editor + `"}`,
	} {
		n.Call(http.MethodPost, "/api/v1/users", body).WantStatus(t, http.StatusCreated)
	}
	for _, c := range []struct{ query, filter, want string }{
		{"search=LOVE", `search: "LOVE"`, "ada"},
		{"search=%C3%A4rger", `search: "ärger"`, "feed"},
		{"search=%25", `search: "%"`, "feed"},
		{"search=_", `search: "_"`, ""},
		{"role_id=" + editor, `roleId: "` + editor + `"`, "eve feed"},
		{"kind=api", "kind: API", "feed"},
		{"active=false", "active: false", "eve"},
		{"active=true&search=example.com&kind=person",
			`active: true, search: "example.com", kind: PERSON`, "ada admin"},
	} {
		var list struct{ Results []struct{ Email string } }
		if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/users?"+c.query, "").
			WantStatus(t, http.StatusOK).Body, &list); err != nil {
			t.Fatal(err)
		}
		var overGraphQL struct {
			Users struct{ Nodes []struct{ Email string } }
		}
		query, err := json.Marshal(map[string]string{
			"query": "{ users(filter: {" + c.filter + "}) { nodes { email } } }",
		})
		if err != nil {
			t.Fatal(err)
		}
		data, codes := n.Call(http.MethodPost, "/graphql", string(query)).GraphQL(t)
		if err := json.Unmarshal(data, &overGraphQL); err != nil || len(codes) > 0 {
			t.Fatalf("%s: %v %s", c.filter, err, codes)
		}
		names := func(nodes []struct{ Email string }) string {
			var all []string
			for _, u := range nodes {
				name, _, _ := strings.Cut(u.Email, "@")
				all = append(all, name)
			}
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		if rest, graphQL := names(list.Results), names(overGraphQL.Users.Nodes); rest != c.want || graphQL != c.want {
			t.Errorf("%s: found %q, over GraphQL %q, want %q", c.query, rest, graphQL, c.want)
		}
	}
	var page struct {
		Results []struct{ Email string }
		Next    string
	}
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/users?limit=1&active=true", "").
		WantStatus(t, http.StatusOK).Body, &page); err != nil || !strings.Contains(page.Next, "active=true") {
		t.Errorf("the next page is %q: %v", page.Next, err)
	}
	for _, query := range []string{"kind=robot", "active=perhaps", "role_id=x", "search=", "search=%00"} {
		n.Call(http.MethodGet, "/api/v1/users?"+query, "").WantProblem(t, query, http.StatusBadRequest, "INVALID_INPUT")
	}
}

func TestUsers_AnAPIUsersPasswordIsShownOnceAndDoesNotSignInOnPages(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	made := n.Call(http.MethodPost, "/api/v1/users",
		`{"email":"bot@example.com","kind":"api","role_id":"`+n.RoleID("Viewer")+`"}`).WantStatus(t, http.StatusCreated)
	password := made.Field(t, "password")
	path := "/api/v1/users/" + made.Field(t, "id")
	if read := n.Call(http.MethodGet, path, "").
		WantStatus(t, http.StatusOK); strings.Contains(string(read.Body), password) {
		t.Error("the password is shown again")
	}
	bot := n.As("bot@example.com", password)
	bot.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	if got := n.Login(n.Browser(), "bot@example.com", password); got.Status != http.StatusForbidden ||
		got.Header.Get("Set-Cookie") != "" {
		t.Errorf("on the page: %d, %s", got.Status, got.Header.Get("Set-Cookie"))
	}
	n.Call(http.MethodPost, path+"/reset-link", "").WantProblem(t, "a link", http.StatusConflict, "CONFLICT")
	other := n.Call(http.MethodPost, path+"/rotate-password", "").WantStatus(t, http.StatusOK).Field(t, "password")
	nodetest.Eventually(t, "the old password no longer works",
		func() bool { return bot.Call(http.MethodGet, "/api/v1/me", "").Status == http.StatusUnauthorized })
	n.As("bot@example.com", other).Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
}

func TestUsers_AnAPIUserMayHaveNoPassword(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer := n.RoleID("Viewer")
	made := n.Call(http.MethodPost, "/api/v1/users", `{"email":"bot@example.com","kind":"api","generate_password":false,
		"role_id":"`+viewer+`"}`).WantStatus(t, http.StatusCreated)
	if got := made.Object(t); got["password"] != nil || got["has_password"] != false || got["active"] != true {
		t.Errorf("made %s", made.Body)
	}
	for _, password := range []string{"", "null", nodetest.UserPassword} {
		n.As("bot@example.com", password).Call(http.MethodGet, "/api/v1/me", "").
			WantProblem(t, password, http.StatusUnauthorized, "UNAUTHENTICATED")
	}
	path := "/api/v1/users/" + made.Field(t, "id")
	later := n.Call(http.MethodPost, path+"/rotate-password", "").WantStatus(t, http.StatusOK).Field(t, "password")
	n.As("bot@example.com", later).Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)

	data := n.GraphQL(`mutation ($role: ID!) { createUser(input: {email: "other@example.com", kind: API, roleId: $role,
		generatePassword: false}) { password user { hasPassword } } }`, nodetest.Vars{"role": viewer})
	if want := `{"createUser":{"password":null,"user":{"hasPassword":false}}}`; string(data) != want {
		t.Errorf("over GraphQL: got %s, want %s", data, want)
	}
	for _, kind := range []string{"true", "false"} {
		got := n.Call(http.MethodPost, "/api/v1/users",
			`{"email":"ada@example.com","generate_password":`+kind+`,"role_id":"`+viewer+`"}`).
			WantProblem(t, "a person", http.StatusUnprocessableEntity, "RULE_VIOLATED")
		if places := got.FaultPlaces(t); !slices.Equal(places, []string{"#/generate_password"}) {
			t.Errorf("a person: faults at %q", places)
		}
	}
}
