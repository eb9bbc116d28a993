package core_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestAudit_RecordsActorsAndActionsWithoutSecrets(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	ada := n.CreateUser("ada@example.com", n.RoleID("Viewer"))
	ada.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	n.As("ada@example.com", "wrong").Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusUnauthorized)
	browser := n.Browser()
	n.Login(browser, "ada@example.com", nodetest.UserPassword)
	n.Submit(browser, "/logout", nil)
	ada.Call(http.MethodPut, "/api/v1/me/password",
		`{"current_password":"a guess","new_password":"another one made of snow"}`, "Content-Type", "application/json").
		WantStatus(t, http.StatusUnprocessableEntity)
	id := n.UserID("ada@example.com")
	n.Call(http.MethodPatch, "/api/v1/users/"+id, `{"name":"Ada","password":"another one made of snow"}`).
		WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, "/api/v1/users/"+id, `{"name":"Ada"}`).WantStatus(t, http.StatusOK) // changes nothing
	n.Call(http.MethodDelete, "/api/v1/users/"+id, "").WantStatus(t, http.StatusNoContent)
	var body string
	nodetest.Eventually(t, "the sign-ins are in the log", func() bool {
		body = string(n.Call(http.MethodGet, "/api/v1/audit?subject=users/"+id, "").WantStatus(t, http.StatusOK).Body)
		return strings.Count(body, `"sign-in.succeeded"`) == 2 && strings.Count(body, `"sign-in.failed"`) == 2
	})
	for action, times := range map[string]int{"user.created": 1, "user.updated": 1, "user.deleted": 1, "sign-out": 1,
		"sign-in.failed": 2, "password change": 1} {
		if got := strings.Count(body, `"`+action+`"`); got != times {
			t.Errorf("%s is recorded %d times: %s", action, got, body)
		}
	}
	for _, secret := range []string{nodetest.UserPassword, "a guess", "made of snow", "argon2", "wrong\"}}"} {
		if strings.Contains(body, secret) {
			t.Errorf("the log shows %s: %s", secret, body)
		}
	}
	data := n.GraphQL(`{ audit(first: 1, filter: {actions: ["user.deleted"]}) {
		nodes { action actorName subject } pageInfo { hasNextPage }
	} }`, nil)
	if !strings.Contains(string(data), id) {
		t.Errorf("GraphQL: %s", data)
	}
}
