package server_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A secret in the wrong place, or no credentials at all: the refusal says where a secret belongs.
func TestTokens_ARefusalSaysHowToSendOne(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	secret := n.InsertToken(nodetest.Token{Permissions: viewing()}).Secret
	const form = "Send an access token as Authorization: Bearer ict_…, or sign in with HTTP Basic"
	for name, c := range map[string]struct {
		query  string
		header []string
	}{
		"nothing":          {"", []string{"Authorization", ""}},
		"X-API-Key":        {"", []string{"Authorization", "", "X-API-Key", secret}},
		"?token=":          {"?token=" + secret, []string{"Authorization", ""}},
		"another scheme":   {"", []string{"Authorization", "Token " + secret}},
		"no scheme":        {"", []string{"Authorization", secret}},
		"an unknown shape": {"", []string{"Authorization", "Digest x=1"}},
	} {
		for _, got := range []nodetest.Response{
			n.Call(http.MethodGet, "/api/v1/items"+c.query, "", c.header...),
			n.Call(http.MethodPost, "/graphql"+c.query, `{"query":"{ me { email } }"}`, c.header...),
		} {
			if body := string(got.Body); got.Status != http.StatusUnauthorized || !strings.Contains(body, form) ||
				strings.Contains(body, secret) {
				t.Errorf("%s: %d %s", name, got.Status, body)
			}
		}
	}
}
