package core_test

import (
	"net/http"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// The token may have changed while the body was uploading: a change of rights looks again in its transaction.
func TestTokens_AChangedTokensUnfinishedRequestChangesNothing(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for name, c := range map[string]struct {
		meanwhile string
		status    int
		code      string
	}{
		"revoked": {"DELETE FROM access_token WHERE id = $1", http.StatusUnauthorized, "UNAUTHENTICATED"},
		"expired": {"UPDATE access_token SET expires_at = now() WHERE id = $1", http.StatusUnauthorized, "UNAUTHENTICATED"},
		"less":    {"UPDATE access_token SET permissions = '{items.view}' WHERE id = $1", http.StatusForbidden, "FORBIDDEN"},
		"filter": {
			`UPDATE access_token SET filter = '{"tags": ["public"]}' WHERE id = $1`, http.StatusServiceUnavailable, "UNAVAILABLE",
		},
	} {
		token := n.InsertToken(nodetest.Token{Permissions: account.Permissions{account.WorkflowsManage}})
		request := beginRequestAs(n, token.Authorization, "/api/v1/workflow-profiles", `{"name":"`+name+`"}`)
		if _, err := n.Pool.Exec(t.Context(), c.meanwhile, token.ID); err != nil {
			t.Fatal(err)
		}
		request.end().WantProblem(t, name, c.status, c.code)
	}
	var profiles int
	if err := n.Pool.QueryRow(t.Context(), "SELECT count(*) FROM workflow_profile").Scan(&profiles); err != nil ||
		profiles != 0 {
		t.Errorf("%d profiles were created: %v", profiles, err)
	}
}
