package main

import (
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node"
)

func TestServe_GreetingHasEveryAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ops  string
		want []string
	}{
		{"127.0.0.1:8081", []string{"https://items.example/graphql", "https://items.example/api/v1/openapi.json", "http://127.0.0.1:8081/metrics", "Sign in as   a@b.c", "127.0.0.1:43210"}},
		{"", []string{"Sign in as   a@b.c"}},
	} {
		var out strings.Builder
		(&serveCommand{Addr: "127.0.0.1:0", OpsAddr: c.ops}).greet(&console{out: &out}, node.Started{
			Addr: "127.0.0.1:43210", PublicURL: "https://items.example",
			First: &account.FirstStart{Email: "a@b.c", Password: "x"}})
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in\n%s", want, out.String())
			}
		}
		if shown := strings.Contains(out.String(), "operators"); shown != (c.ops != "") {
			t.Errorf("with the address %q:\n%s", c.ops, out.String())
		}
	}
}
