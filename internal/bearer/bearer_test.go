package bearer_test

import (
	"net/http"
	"testing"

	"itemcast/internal/bearer"
)

func TestSecret_IsThatOfTheSchemeBearerOnly(t *testing.T) {
	t.Parallel()
	for authorization, want := range map[string]string{
		"Bearer ict_x": "ict_x", "bearer ict_x": "ict_x", "BEARER   ict_x ": "ict_x", "Bearer ": "", "Bearer": "",
		"Bearer a b": "a b",
	} {
		if secret, ok := bearer.Secret(authorization); !ok || secret != want {
			t.Errorf("%q: %q %t", authorization, secret, ok)
		}
	}
	for _, authorization := range []string{"", "Basic YTpi", "Bearerict_x", "Token ict_x", " Bearer ict_x"} {
		if secret, ok := bearer.Secret(authorization); ok {
			t.Errorf("%q is %q", authorization, secret)
		}
	}
}

func TestChallenge_AsksForWhatTheClientUses(t *testing.T) {
	t.Parallel()
	for authorization, want := range map[string]string{
		"":             `Basic realm="Itemcast", charset="UTF-8"`,
		"Basic YTpi":   `Basic realm="Itemcast", charset="UTF-8"`,
		"Bearer ict_x": `Bearer realm="Itemcast", error="invalid_token"`,
	} {
		if got := bearer.Challenge(http.Header{"Authorization": {authorization}}); got != want {
			t.Errorf("%q: %s", authorization, got)
		}
	}
}
