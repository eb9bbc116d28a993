package node_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// urql keeps an error on all later results of its subscription. The example subscribes again, and gets the changes made
// meanwhile without an error, each once.
func TestClients_URQLSubscribesAgainAfterAnError(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	role := n.CreateRole("reader by urql", account.APIAccess, account.ItemsView)
	const email = "viewer@example.com"
	n.CreateUser(email, role)
	grant := func(permissions string) {
		t.Helper()
		n.Call(http.MethodPatch, "/api/v1/roles/"+role, `{"permissions":[`+permissions+`]}`).WantStatus(t, http.StatusOK)
	}
	lines := example(t, "subscribers/urql.mjs", n.URL, email+":"+nodetest.UserPassword)
	nodetest.Next(t, lines) // from
	follows := func(revision int64, id string) {
		t.Helper()
		for {
			got := hear(t, lines)
			if got.Errors != nil || got.Event == nil {
				continue // an attempt of the time without the permission
			}
			if got.Event.Revision != revision || !strings.Contains(string(got.Event.Document), id) {
				t.Fatalf("got %+v, want revision %d of %s", got.Event, revision, id)
			}
			return
		}
	}
	id := n.CreateItem(`{"name":"a"}`)
	follows(1, id)

	grant(`"api.access"`)
	if got := hear(t, lines); !strings.Contains(string(got.Errors), `"FORBIDDEN"`) {
		t.Fatalf("without the permission the client gets %s", got.Errors)
	}
	n.PatchItem(id, `{"name":"while the client may not see it"}`)
	grant(`"api.access","items.view"`)
	follows(2, id)
	n.PatchItem(id, `{"name":"b"}`)
	follows(3, id)
}
