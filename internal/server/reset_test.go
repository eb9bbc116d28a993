package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

func TestReset_ALinkWorksOnceAndForADay(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","role_id":"`+n.RoleID("Viewer")+`"}`).
		WantStatus(t, http.StatusCreated)
	link := func() string {
		at, err := url.Parse(n.Call(http.MethodPost, "/api/v1/users/"+n.UserID("ada@example.com")+"/reset-link", "").
			WantStatus(t, http.StatusCreated).Field(t, "url"))
		if err != nil || !strings.HasPrefix(at.String(), n.URL+"/reset?token=") {
			t.Fatalf("%s, %v", at, err)
		}
		return at.Query().Get("token")
	}
	old := link()
	token := link()
	set := func(token, password string) int {
		return n.Submit(n.Browser(), "/reset", url.Values{"token": {token}, "password": {password}}).Status
	}
	for range 2 { // opening the page does not use up the link
		n.Call(http.MethodGet, "/reset?token="+token, "").WantStatus(t, http.StatusOK)
	}
	if got := set(old, nodetest.UserPassword); got != http.StatusNotFound {
		t.Errorf("a link that was replaced: %d", got)
	}
	if got := set(token, "short"); got != http.StatusUnprocessableEntity {
		t.Errorf("a short password: %d", got)
	}
	if got := set(token, nodetest.UserPassword); got != http.StatusSeeOther {
		t.Errorf("the link: %d", got)
	}
	if got := set(token, nodetest.UserPassword); got != http.StatusNotFound {
		t.Errorf("the link again: %d", got)
	}
	n.As("ada@example.com", nodetest.UserPassword).Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	late := link()
	if _, err := n.Pool.Exec(t.Context(), "UPDATE reset_link SET expires_at = now() - interval '1 second'"); err != nil {
		t.Fatal(err)
	}
	if got := set(late, nodetest.UserPassword); got != http.StatusNotFound {
		t.Errorf("a late link: %d", got)
	}
}

// When a link is used, its creator's permissions are checked again.
func TestReset_ALinkWorksWhileItsCreatorMayCreateIt(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	manager, viewer, administrator := n.CreateRole("Manager", account.APIAccess, account.UsersManage, account.ItemsView),
		n.RoleID("Viewer"), n.RoleID("Administrator")
	small := n.CreateRole("Small", account.APIAccess)
	for name, c := range map[string]struct {
		path, body string // the change in between
		want       int
	}{
		"nothing":       {"", "", http.StatusSeeOther},
		"promoted":      {"users/USER", `{"role_id":"` + administrator + `"}`, http.StatusNotFound},
		"less":          {"users/USER", `{"role_id":"` + small + `"}`, http.StatusSeeOther},
		"more":          {"roles/ROLE", `{"permissions":["api.access","items.delete"]}`, http.StatusNotFound},
		"address":       {"users/USER", `{"email":"other@example.com"}`, http.StatusNotFound},
		"removed":       {"users/CREATOR", `{"active":false}`, http.StatusNotFound},
		"demoted":       {"users/CREATOR", `{"role_id":"` + viewer + `"}`, http.StatusNotFound},
		"creator's own": {"users/CREATOR", `{"role_id":"` + administrator + `"}`, http.StatusSeeOther},
	} {
		local := strings.NewReplacer(" ", ".", "'", "").Replace(name)
		creator := n.CreateUser("creator-"+local+"@example.com", manager)
		role := n.CreateRole("Of "+name, account.APIAccess)
		id := n.Call(http.MethodPost, "/api/v1/users", `{"email":"`+local+`@example.com","role_id":"`+role+`"}`).
			WantStatus(t, http.StatusCreated).Field(t, "id")
		at, err := url.Parse(creator.Call(http.MethodPost, "/api/v1/users/"+id+"/reset-link", "").
			WantStatus(t, http.StatusCreated).Field(t, "url"))
		if err != nil {
			t.Fatal(err)
		}
		if c.path != "" {
			path := strings.NewReplacer("USER", id, "CREATOR", n.UserID("creator-"+local+"@example.com"), "ROLE",
				role).Replace(c.path)
			n.Call(http.MethodPatch, "/api/v1/"+path, c.body).WantStatus(t, http.StatusOK)
		}
		if got := n.Submit(n.Browser(), "/reset",
			url.Values{"token": {at.Query().Get("token")}, "password": {nodetest.UserPassword}}).Status; got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
