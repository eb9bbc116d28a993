package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestToken_TheOperatorManagesTokensOfAnyUser(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	n := nodetest.StartOn(t, pool)
	environment = append(environment, "TZ=UTC")
	run := func(want int, contains string, args ...string) string {
		t.Helper()
		code, out, errs := nodetest.RunProcess(t, environment, args...)
		if code != want || !strings.Contains(out+errs, contains) {
			t.Fatalf("%q: %d %s %s", args, code, out, errs)
		}
		return out
	}
	run(0, "It works with access tokens: itemcast token create bot@example.com", "user", "add", "bot@example.com", "--api",
		"--no-password")
	run(0, "access tokens only", "user", "list")
	run(1, "add --api", "user", "add", "ada@example.com", "--no-password")

	out := run(0, "shown this once", "token", "create", "bot@example.com", "--name=Public page", "--tags=public,new",
		"--origins=https://Example.com/", "--expires=2126-01-31T12:00:00Z", "--requests-per-minute=60")
	secret := regexp.MustCompile(`Secret\s+(ict_\w{36}) `).FindStringSubmatch(out)
	id := regexp.MustCompile(`Id\s+(\S+)`).FindStringSubmatch(out)
	if secret == nil || id == nil {
		t.Fatalf("created %s", out)
	}
	shown := run(0, "bot@example.com", "token", "show", id[1])
	for _, want := range []string{"Public page", "items.view", `{"tags":["public","new"]}`, "https://example.com\n",
		"2126-01-31 12:00:00 UTC", "60"} {
		if !strings.Contains(shown, want) {
			t.Errorf("shown without %s: %s", want, shown)
		}
	}
	if list := run(0, "Public page", "token", "list", "--user=bot@example.com"); strings.Contains(list, "ict_") ||
		strings.Count(list, "\n") != 2 {
		t.Errorf("the list has %s", list)
	}
	if list := run(0, "ID", "token", "list", "--user="+nodetest.AdminEmail); strings.Count(list, "\n") != 1 {
		t.Errorf("the list of another user has %s", list)
	}
	got := n.Call(http.MethodGet, "/api/v1/tokens/"+id[1], "").WantStatus(t, http.StatusOK).Object(t)
	if got["created_by"] != nil || got["user"] != "bot@example.com" {
		t.Errorf("over REST: %v", got)
	}
	if out := run(0, "The old secret works until", "token", "rotate", id[1]); strings.Contains(out, secret[1]) {
		t.Errorf("the secret stays: %s", out)
	}
	if out := run(0, "shown this once", "token", "rotate", id[1], "--revoke"); strings.Contains(out, "until") {
		t.Errorf("the old secret works still: %s", out)
	}
	run(0, "The token Public page of bot@example.com is revoked.", "token", "revoke", id[1])
	run(1, "There is no such token.", "token", "revoke", id[1])
	for _, command := range []string{"revoke", "rotate", "show"} {
		run(1, `"abc" must be an id (UUID), as itemcast token list shows it`, "token", command, "abc")
	}
	run(1, "no user", "token", "create", "nobody@example.com", "--name=a")
	run(1, "permissions/0 is not a permission of bot@example.com, whose role is Viewer", "token", "create",
		"bot@example.com", "--name=a", "--permissions=items.edit")
	run(1, "filter/metadata/year must be a metadata field of this account: itemcast export --with-fields shows them", "token", "create", "bot@example.com", "--name=a",
		"--metadata=year=1927")
}
