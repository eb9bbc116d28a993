package core_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestMe_EndsSessionsOneByOneAllAtOnceAndWithThePassword(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	ada := n.CreateUser("ada@example.com", n.RoleID("Viewer"))
	open := func() []string {
		browser := n.Browser()
		n.Login(browser, "ada@example.com", nodetest.UserPassword)
		return []string{"Authorization", "", "Cookie", n.Cookies(browser)}
	}
	one, two := open(), open()
	var list struct {
		Results []struct {
			ID      string
			Current bool
		}
	}
	if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/me/sessions", "", one...).
		WantStatus(t, http.StatusOK).Body, &list); err != nil || len(list.Results) != 2 {
		t.Fatalf("got %+v, %v", list, err)
	}
	for _, s := range list.Results {
		if !s.Current {
			n.Call(http.MethodDelete, "/api/v1/me/sessions/"+s.ID, "").
				WantProblem(t, "another user's session", http.StatusNotFound, "NOT_FOUND")
			n.Call(http.MethodDelete, "/api/v1/me/sessions/"+s.ID, "", one...).WantStatus(t, http.StatusNoContent)
		}
	}
	n.Call(http.MethodGet, "/api/v1/me", "", two...).WantStatus(t, http.StatusUnauthorized)
	n.Call(http.MethodDelete, "/api/v1/me/sessions", "", one...).WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodGet, "/api/v1/me", "", one...).WantStatus(t, http.StatusUnauthorized)

	three := open()
	ada.Call(http.MethodPut, "/api/v1/me/password", `{"current_password":"wrong","new_password":"short"}`,
		"Content-Type", "application/json").
		WantProblem(t, "a wrong password", http.StatusUnprocessableEntity, "RULE_VIOLATED")
	ada.Call(http.MethodPut, "/api/v1/me/password",
		`{"current_password":"`+nodetest.UserPassword+`","new_password":"another one made of snow"}`,
		"Content-Type", "application/json").
		WantStatus(t, http.StatusNoContent)
	nodetest.Eventually(t, "the session has ended", func() bool {
		return n.Call(http.MethodGet, "/api/v1/me", "", three...).Status == http.StatusUnauthorized
	})
	nodetest.Eventually(t, "the old password no longer works",
		func() bool { return ada.Call(http.MethodGet, "/api/v1/me", "").Status == http.StatusUnauthorized })
	n.As("ada@example.com", "another one made of snow").Call(http.MethodGet, "/api/v1/me", "").
		WantStatus(t, http.StatusOK)
}
