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
	n.Call(http.MethodPost, "/api/v1/users", `{"email":"ada@example.com","role_id":"`+n.RoleID("Viewer")+`"}`).WantStatus(t, http.StatusCreated)
	link := func() string {
		at, err := url.Parse(n.Call(http.MethodPost, "/api/v1/users/"+n.UserID("ada@example.com")+"/reset-link", "").WantStatus(t, http.StatusCreated).Field(t, "url"))
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
	for range 2 { // to look uses nothing up
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

// A link is worth no more than whoever made it may do when it is used.
func TestReset_ALinkWorksAsLongAsItsMakerMayMakeIt(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	manager, viewer, administrator := n.CreateRole("Manager", account.APIAccess, account.UsersManage, account.ItemsView), n.RoleID("Viewer"), n.RoleID("Administrator")
	small := n.CreateRole("Small", account.APIAccess)
	for name, c := range map[string]struct {
		path, body string // what is changed meanwhile
		want       int
	}{
		"nothing":     {"", "", http.StatusSeeOther},
		"promoted":    {"users/USER", `{"role_id":"` + administrator + `"}`, http.StatusNotFound},
		"less":        {"users/USER", `{"role_id":"` + small + `"}`, http.StatusSeeOther},
		"more":        {"roles/ROLE", `{"permissions":["api.access","items.delete"]}`, http.StatusNotFound},
		"address":     {"users/USER", `{"email":"other@example.com"}`, http.StatusNotFound},
		"removed":     {"users/MAKER", `{"active":false}`, http.StatusNotFound},
		"demoted":     {"users/MAKER", `{"role_id":"` + viewer + `"}`, http.StatusNotFound},
		"maker's own": {"users/MAKER", `{"role_id":"` + administrator + `"}`, http.StatusSeeOther},
	} {
		local := strings.NewReplacer(" ", ".", "'", "").Replace(name)
		maker := n.CreateUser("maker-"+local+"@example.com", manager)
		role := n.CreateRole("Of "+name, account.APIAccess)
		id := n.Call(http.MethodPost, "/api/v1/users", `{"email":"`+local+`@example.com","role_id":"`+role+`"}`).WantStatus(t, http.StatusCreated).Field(t, "id")
		at, err := url.Parse(maker.Call(http.MethodPost, "/api/v1/users/"+id+"/reset-link", "").WantStatus(t, http.StatusCreated).Field(t, "url"))
		if err != nil {
			t.Fatal(err)
		}
		if c.path != "" {
			path := strings.NewReplacer("USER", id, "MAKER", n.UserID("maker-"+local+"@example.com"), "ROLE", role).Replace(c.path)
			n.Call(http.MethodPatch, "/api/v1/"+path, c.body).WantStatus(t, http.StatusOK)
		}
		if got := n.Submit(n.Browser(), "/reset", url.Values{"token": {at.Query().Get("token")}, "password": {nodetest.UserPassword}}).Status; got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
