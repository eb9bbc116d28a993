package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestUser_TheOperatorAddsAndChangesUsers(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	n := nodetest.StartOn(t, pool)
	environment = append(environment, "ITEMCAST_PUBLIC_URL="+n.URL, "TZ=UTC")
	run := func(want int, contains string, args ...string) string {
		t.Helper()
		code, out, errs := nodetest.RunProcess(t, environment, append([]string{"user"}, args...)...)
		if code != want || !strings.Contains(out+errs, contains) {
			t.Fatalf("user %q: %d %s %s", args, code, out, errs)
		}
		return out
	}
	if out := run(0, "Added ada@example.com as Editor", "add", "ada@example.com", "--name=Ada",
		"--role=editor"); !strings.Contains(out, n.URL+"/reset?token=") {
		t.Errorf("got %s", out)
	}
	out := run(0, "Added bot@example.com as Viewer", "add", "bot@example.com", "--api")
	password := regexp.MustCompile(`Password\s+(\S+)`).FindStringSubmatch(out)[1]
	n.As("bot@example.com", password).Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	run(1, "already", "add", "ADA@example.com")
	run(1, `There is no role "Nothing". The roles are "Viewer", "Editor", "Administrator".`, "add", "x@example.com",
		"--role=Nothing")
	run(1, "email must be", "add", "no-address")
	run(0, "no password yet", "list")
	run(0, "now has the role Viewer", "set-role", "ada@example.com", "viewer")
	run(0, "is disabled", "disable", "bot@example.com")
	nodetest.Eventually(t, "the password no longer works", func() bool {
		return n.As("bot@example.com", password).Call(http.MethodGet, "/api/v1/me", "").Status == http.StatusUnauthorized
	})
	run(1, "No administrator would remain", "disable", nodetest.AdminEmail)
	run(1, "no user", "enable", "nobody@example.com")
	expiry := regexp.MustCompile(`once, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC:\n`)
	if out := run(0, "/reset?token=", "reset-link", "ada@example.com"); !expiry.MatchString(out) {
		t.Errorf("the link's expiry has no time zone: %s", out)
	}
	body := string(n.Call(http.MethodGet, "/api/v1/audit?action=user.created,user.updated", "").
		WantStatus(t, http.StatusOK).Body)
	if strings.Count(body, `"actor_name":"operator","address":""`) != 4 {
		t.Errorf("the audit log has %s", body)
	}
}

func TestUser_TheOperatorSetsPasswords(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	n := nodetest.StartOn(t, pool)
	code, out, errs := nodetest.RunProcess(t, environment, "user", "add", "bot@example.com", "--api")
	wantExit(t, code, out, errs, 0, "shown this once")
	code, out, errs = nodetest.RunProcess(t, environment, "user", "reset-link", "bot@example.com")
	wantExit(t, code, out, errs, 1, "itemcast user set-password bot@example.com prints a new password")
	code, out, errs = nodetest.RunProcess(t, environment, "user", "set-password", "bot@example.com")
	wantExit(t, code, out, errs, 0, "shown this once")
	password := regexp.MustCompile(`Password\s+(\S+)`).FindStringSubmatch(out)[1]
	n.As("bot@example.com", password).Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)

	code, out, errs = runPiped(t, environment, "a bicycle of rain\n", "user", "set-password", nodetest.AdminEmail)
	wantExit(t, code, out, errs, 0, "The password of "+nodetest.AdminEmail+" is set.")
	n.As(nodetest.AdminEmail, "a bicycle of rain").Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	code, out, errs = runPiped(t, environment, "short\n", "user", "set-password", nodetest.AdminEmail)
	wantExit(t, code, out, errs, 1, "password must have at least 8 characters")
	code, out, errs = runPiped(t, environment, "", "user", "set-password", nodetest.AdminEmail)
	wantExit(t, code, out, errs, 1, "standard input was empty")
}

// An administrator cannot grant a permission that nobody has. The error names the command.
func TestRole_TheOperatorGrantsAPermissionThatNobodyHas(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	n := nodetest.StartOn(t, pool)
	run := func(want int, contains string, args ...string) {
		t.Helper()
		code, out, errs := nodetest.RunProcess(t, environment, append([]string{"role"}, args...)...)
		if code != want || !strings.Contains(out+errs, contains) {
			t.Fatalf("role %q: %d %s %s", args, code, out, errs)
		}
	}
	path := "/api/v1/roles/" + n.RoleID("Administrator")
	run(0, "Administrator now has api.access", "revoke", "administrator", "learning.manage", "webinars.manage")
	back := `{"permissions":["api.access","users.manage","learning.manage"]}`
	nodetest.Eventually(t, "the revoked permission cannot be given",
		func() bool { return n.Call(http.MethodPatch, path, back).Status == http.StatusForbidden })
	if detail := n.Call(http.MethodPatch, path, back).Detail(t); !strings.Contains(detail,
		"itemcast role grant ROLE learning.manage") {
		t.Errorf("the detail is %s", detail)
	}
	run(0, "learning.manage.\n", "grant", "Administrator", "learning.manage", "items.view")
	nodetest.Eventually(t, "the permission can be given",
		func() bool { return n.Call(http.MethodPatch, path, back).Status == http.StatusOK })
	run(0, "Administrator  api.access users.manage learning.manage\n", "list")
	run(1, "No administrator would remain", "revoke", "Administrator", "users.manage")
	run(1, "no role", "grant", "Nothing", "items.view")
	run(1, "items.fly", "grant", "Viewer", "items.fly")
}

// A terminal would obey control characters.
func TestUser_TheListShowsNamesAsPlainText(t *testing.T) {
	t.Parallel()
	pool, environment := newDatabase(t)
	for _, statement := range []string{
		"UPDATE app_user SET email = E'\\x1b[2Jevil@x.io', name = E'Eve\\r\\nroot@x.io  root  person  Administrator  active'",
		"UPDATE role SET name = E'Admin\\u202eistrator' WHERE name = 'Administrator'",
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"user", "role"} {
		code, out, errs := nodetest.RunProcess(t, environment, command, "list")
		if code != 0 || strings.ContainsAny(out, "\x1b\r\u202e") || !strings.Contains(out, "\ufffd") {
			t.Errorf("%d %q %s", code, out, errs)
		}
		if lines := strings.Count(out, "\n"); command == "user" && lines != 2 {
			t.Errorf("a user has %d lines: %q", lines-1, out)
		}
	}
}
