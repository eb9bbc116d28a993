package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

func TestUser_TheOperatorAddsPeopleAndLetsThemInAgain(t *testing.T) {
	t.Parallel()
	pool, environment := started(t)
	n := startNodeOn(t, pool)
	environment = append(environment, "ITEMCAST_PUBLIC_URL="+n.url)
	run := func(want int, contains string, args ...string) string {
		t.Helper()
		code, out, errs := runProcess(t, environment, append([]string{"user"}, args...)...)
		if code != want || !strings.Contains(out+errs, contains) {
			t.Fatalf("user %q: %d %s %s", args, code, out, errs)
		}
		return out
	}
	if out := run(0, "Added ada@example.com as Editor", "add", "ada@example.com", "--name=Ada", "--role=editor"); !strings.Contains(out, n.url+"/reset?token=") {
		t.Errorf("got %s", out)
	}
	out := run(0, "Added bot@example.com as Viewer", "add", "bot@example.com", "--api")
	password := regexp.MustCompile(`Password\s+(\S+)`).FindStringSubmatch(out)[1]
	n.as("bot@example.com", password).call(http.MethodGet, "/api/v1/me", "").expect(t, http.StatusOK)
	run(1, "already", "add", "ADA@example.com")
	run(1, "no role", "add", "x@example.com", "--role=Nothing")
	run(1, "email must be", "add", "no-address")
	run(0, "no password yet", "list")
	run(0, "is Viewer now", "set-role", "ada@example.com", "viewer")
	run(0, "switched off", "disable", "bot@example.com")
	await(t, func() bool {
		return n.as("bot@example.com", password).call(http.MethodGet, "/api/v1/me", "").status == http.StatusUnauthorized
	})
	run(1, "nobody would be left", "disable", adminEmail)
	run(1, "no user", "enable", "nobody@example.com")
	run(0, "/reset?token=", "reset-link", "ada@example.com")
	body := string(n.call(http.MethodGet, "/api/v1/audit?action=user.created,user.updated", "").expect(t, http.StatusOK).body)
	if strings.Count(body, `"actor_name":"operator","address":""`) != 4 {
		t.Errorf("the log tells %s", body)
	}
}

// Whoever takes the last of a permission away cannot give it back, and is told who can.
func TestRole_TheOperatorGivesBackWhatNobodyHas(t *testing.T) {
	t.Parallel()
	pool, environment := started(t)
	n := startNodeOn(t, pool)
	run := func(want int, contains string, args ...string) {
		t.Helper()
		code, out, errs := runProcess(t, environment, append([]string{"role"}, args...)...)
		if code != want || !strings.Contains(out+errs, contains) {
			t.Fatalf("role %q: %d %s %s", args, code, out, errs)
		}
	}
	path := "/api/v1/roles/" + n.roleNamed("Administrator")
	run(0, "Administrator has api.access", "revoke", "administrator", "learning.manage", "webinars.manage")
	back := `{"permissions":["api.access","users.manage","learning.manage"]}`
	await(t, func() bool { return n.call(http.MethodPatch, path, back).status == http.StatusForbidden })
	if told := n.call(http.MethodPatch, path, back).detail(t); !strings.Contains(told, "itemcast role grant ROLE learning.manage") {
		t.Errorf("told: %s", told)
	}
	run(0, "learning.manage now", "grant", "Administrator", "learning.manage", "items.view")
	await(t, func() bool { return n.call(http.MethodPatch, path, back).status == http.StatusOK })
	run(0, "Administrator  api.access users.manage learning.manage\n", "list")
	run(1, "nobody would be left", "revoke", "Administrator", "users.manage")
	run(1, "no role", "grant", "Nothing", "items.view")
	run(1, "items.fly", "grant", "Viewer", "items.fly")
}

// What a terminal would obey does not reach it.
func TestUser_TheListShowsNamesAsPlainText(t *testing.T) {
	t.Parallel()
	pool, environment := started(t)
	for _, statement := range []string{
		"UPDATE app_user SET email = E'\\x1b[2Jevil@x.io', name = E'Eve\\r\\nroot@x.io  root  person  Administrator  active'",
		"UPDATE role SET name = E'Admin\\u202eistrator' WHERE name = 'Administrator'",
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"user", "role"} {
		code, out, errs := runProcess(t, environment, command, "list")
		if code != 0 || strings.ContainsAny(out, "\x1b\r\u202e") || !strings.Contains(out, "\ufffd") {
			t.Errorf("%d %q %s", code, out, errs)
		}
		if lines := strings.Count(out, "\n"); command == "user" && lines != 2 {
			t.Errorf("a user is shown in %d lines: %q", lines-1, out)
		}
	}
}

// A browser's session opens WebSockets, for this server's own pages.
func TestSessions_OpenWebSocketsOfThisOriginAlone(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	browser := n.browser()
	n.signInAs(browser, adminEmail, adminPassword)
	dial := func(origin string) (*socket, error) {
		conn, response, err := websocket.Dial(t.Context(), strings.Replace(n.url, "http", "ws", 1)+"/graphql", &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Cookie": {n.cookies(browser)}, "Origin": {origin}}})
		if response != nil && response.Body != nil {
			_ = response.Body.Close()
		}
		return &socket{t: t, conn: conn}, err
	}
	if _, err := dial("https://evil.example"); err == nil {
		t.Error("another origin's page opened a WebSocket")
	}
	s, err := dial(n.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.conn.CloseNow() }()
	s.send(map[string]any{"type": "connection_init"})
	if kind, _ := s.receive(); kind != "connection_ack" {
		t.Fatalf("got %s", kind)
	}
	n.submit(browser, "/logout", nil)
	if _, _, err := s.conn.Read(t.Context()); websocket.CloseStatus(err) != 4403 {
		t.Errorf("after signing out: %v", err)
	}
}
