package core_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

func TestUsers_DefaultProfileIsShownAndChanged(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer, news, sport := n.RoleID("Viewer"), n.CreateProfile("News"), n.CreateProfile("Sport")
	shown := func(got nodetest.Response, want any) {
		t.Helper()
		if profile := got.Object(t)["default_workflow_profile_id"]; profile != want {
			t.Errorf("the default is %v, want %v", profile, want)
		}
	}
	body := `{"email":"ada@example.com","role_id":"` + viewer + `","password":"` + nodetest.UserPassword + `"`
	made := n.Call(http.MethodPost, "/api/v1/users", body+`,"default_workflow_profile_id":"`+news+`"}`).
		WantStatus(t, http.StatusCreated)
	shown(made, news)
	path := "/api/v1/users/" + made.Field(t, "id")
	shown(n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK), news)
	ada := n.As("ada@example.com", nodetest.UserPassword)
	shown(ada.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK), news)

	shown(n.Call(http.MethodPatch, path, `{"name":"Ada"}`).WantStatus(t, http.StatusOK), news)
	shown(n.Call(http.MethodPatch, path, `{"default_workflow_profile_id":"`+sport+`"}`).WantStatus(t, http.StatusOK), sport)
	shown(ada.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK), sport)
	data := ada.GraphQL(`{ me { defaultWorkflowProfileId } }`, nil)
	if want := `{"me":{"defaultWorkflowProfileId":"` + sport + `"}}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	ada.Call(http.MethodPatch, path, `{"default_workflow_profile_id":null}`).
		WantProblem(t, "their own", http.StatusForbidden, "FORBIDDEN")
	data = n.GraphQL(`mutation ($id: ID!, $i: UpdateUserInput!) { updateUser(id: $id, input: $i) {
		user { name defaultWorkflowProfileId } } }`,
		nodetest.Vars{"id": made.Field(t, "id"), "i": nodetest.Vars{"defaultWorkflowProfileId": nil}})
	if want := `{"updateUser":{"user":{"name":"Ada","defaultWorkflowProfileId":null}}}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	shown(ada.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK), nil)
	data = n.GraphQL(`mutation ($i: CreateUserInput!) { createUser(input: $i) { user { defaultWorkflowProfileId } } }`,
		nodetest.Vars{"i": nodetest.Vars{"email": "eve@example.com", "roleId": viewer, "defaultWorkflowProfileId": news}})
	if want := `{"createUser":{"user":{"defaultWorkflowProfileId":"` + news + `"}}}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	entries := n.Call(http.MethodGet, "/api/v1/audit?action=user.updated&subject=users/"+made.Field(t, "id"), "").
		WantStatus(t, http.StatusOK)
	if want := fmt.Sprintf(`"default_workflow_profile_id":[%q,%q]`, news, sport); !strings.Contains(string(entries.Body), want) {
		t.Errorf("the audit log lacks %s: %s", want, entries.Body)
	}
}

func TestUsers_DefaultProfileMustBeSeenByTheManagerAndTheUser(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	viewer := n.RoleID("Viewer")
	_, newsRole := n.CreateEditor("news")
	limited, open := n.CreateProfile("News", newsRole), n.CreateProfile("Open")
	n.CreateUser("ada@example.com", viewer)
	path := "/api/v1/users/" + n.UserID("ada@example.com")
	manager := n.CreateUser("manager@example.com", n.CreateRole("Manager", account.All()[:6]...))
	n.Call(http.MethodPatch, "/api/v1/roles/"+n.RoleID("Manager"),
		`{"permissions":["api.access","items.view","users.manage"]}`).WantStatus(t, http.StatusOK)
	const unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
	nodetest.Eventually(t, "the manager manages users", func() bool {
		return manager.Call(http.MethodGet, path, "").Status == http.StatusOK
	})
	n.WantNoWrites(func() {
		for name, c := range map[string]struct {
			by           *nodetest.Client
			method, body string
			want         []string
		}{
			"unknown":                         {n.Client, http.MethodPatch, `{"default_workflow_profile_id":"` + unknown + `"}`, []string{"#/default_workflow_profile_id"}},
			"hidden from the user":            {n.Client, http.MethodPatch, `{"default_workflow_profile_id":"` + limited + `"}`, []string{"#/default_workflow_profile_id"}},
			"hidden from the manager":         {manager, http.MethodPatch, `{"default_workflow_profile_id":"` + limited + `"}`, []string{"#/default_workflow_profile_id"}},
			"with other faults":               {n.Client, http.MethodPatch, `{"password":"short","role_id":"` + unknown + `","default_workflow_profile_id":"` + unknown + `"}`, []string{"#/default_workflow_profile_id", "#/password", "#/role_id"}},
			"of a new user":                   {n.Client, http.MethodPost, `{"email":"x@example.com","role_id":"` + viewer + `","default_workflow_profile_id":"` + limited + `"}`, []string{"#/default_workflow_profile_id"}},
			"of a new user, with others":      {n.Client, http.MethodPost, `{"email":"x@example.com","password":"short","role_id":"` + unknown + `","default_workflow_profile_id":"` + unknown + `"}`, []string{"#/default_workflow_profile_id", "#/password", "#/role_id"}},
			"of a new user with no role":      {n.Client, http.MethodPost, `{"email":"x@example.com","role_id":"00000000-0000-0000-0000-000000000000"}`, []string{"#/role_id"}},
			"an unknown role, a good default": {n.Client, http.MethodPatch, `{"role_id":"` + unknown + `","default_workflow_profile_id":"` + limited + `"}`, []string{"#/role_id"}},
		} {
			at := map[string]string{http.MethodPatch: path, http.MethodPost: "/api/v1/users"}[c.method]
			got := c.by.Call(c.method, at, c.body).WantProblem(t, name, http.StatusUnprocessableEntity, "RULE_VIOLATED")
			if places := slices.Sorted(slices.Values(got.FaultPlaces(t))); !slices.Equal(places, c.want) {
				t.Errorf("%s: faults at %q, want %q", name, places, c.want)
			}
		}
	})
	n.Call(http.MethodPatch, path, `{"role_id":"`+newsRole+`","default_workflow_profile_id":"`+limited+`"}`).
		WantStatus(t, http.StatusOK)
	// A change of the role leaves the default, which then does not apply. What GET returned can still be sent back.
	n.Call(http.MethodPatch, path, `{"role_id":"`+viewer+`"}`).WantStatus(t, http.StatusOK)
	before := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, path, with(t, before.Body, `"name":"Ada"`)).WantStatus(t, http.StatusOK)
	manager.Call(http.MethodPatch, path, `{"default_workflow_profile_id":"`+open+`"}`).WantStatus(t, http.StatusOK)
}
