package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

func TestSessions_AuthenticateAsBasicDoes(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	browser := n.Browser()
	if got := n.Login(browser, nodetest.AdminEmail, "wrong"); got.Status != http.StatusUnauthorized ||
		n.Cookies(browser) != "" {
		t.Fatalf("a wrong password: %d, %q", got.Status, n.Cookies(browser))
	}
	got := n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	if cookie := got.Header.Get("Set-Cookie"); got.Status != http.StatusSeeOther ||
		got.Header.Get("Location") != "/api/v1/items" ||
		!strings.HasPrefix(cookie, "itemcast_session=") || !strings.Contains(cookie, "HttpOnly") ||
		!strings.Contains(cookie, "SameSite=Lax") || !strings.Contains(cookie, "Path=/;") {
		t.Fatalf("got %d %s %s", got.Status, got.Header.Get("Location"), cookie)
	}
	first := n.Cookies(browser)
	as := func(cookie string) []string { return []string{"Authorization", "", "Cookie", cookie} }
	n.Call(http.MethodGet, "/api/v1/me", "", as(first)...).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"by session"}`, as(first)...).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodPost, "/graphql", `{"query":"{ me { email } }"}`, as(first)...).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"x"}`, append(as(first), "Sec-Fetch-Site", "cross-site")...).
		WantProblem(t, "another site", http.StatusForbidden, "FORBIDDEN")
	n.Call(http.MethodPost, "/api/v1/items", `{"name":"x"}`, append(as(first), "Origin", "https://evil.example")...).
		WantProblem(t, "another origin", http.StatusForbidden, "FORBIDDEN")

	// Signing in again rotates the session. Signing out ends it, on this node at once.
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	second := n.Cookies(browser)
	if first == second {
		t.Error("the token has not changed")
	}
	nodetest.Eventually(t, "the old session has ended", func() bool {
		return n.Call(http.MethodGet, "/api/v1/me", "", as(first)...).Status == http.StatusUnauthorized
	})
	n.Call(http.MethodGet, "/api/v1/me", "", as(second)...).WantStatus(t, http.StatusOK)
	n.Submit(browser, "/logout", nil)
	if n.Cookies(browser) != "" {
		t.Error("the cookie is still there")
	}
	n.Call(http.MethodGet, "/api/v1/me", "", as(second)...).
		WantProblem(t, "signed out", http.StatusUnauthorized, "UNAUTHENTICATED")
}

// A user without api.access can sign out everywhere, too.
func TestSessions_EndEverywhereByThePageWithoutTheAPI(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateUser("ada@example.com", n.CreateRole("Nobody"))
	one, two, three := n.Browser(), n.Browser(), n.Browser()
	for _, browser := range []*http.Client{one, two, three} {
		n.Login(browser, "ada@example.com", nodetest.UserPassword)
	}
	signedIn := func(browser *http.Client) bool {
		return strings.Contains(string(n.Call(http.MethodGet, "/", "", "Authorization", "", "Cookie", n.Cookies(browser)).
			WantStatus(t, http.StatusOK).Body), "Sign out everywhere")
	}
	n.Submit(one, "/logout", nil)
	if !signedIn(two) || !signedIn(three) {
		t.Error("signing out in one browser signed out another")
	}
	if got := n.Submit(two, "/logout", url.Values{"everywhere": {"1"}}); got.Status != http.StatusSeeOther ||
		n.Cookies(two) != "" {
		t.Errorf("got %d", got.Status)
	}
	if signedIn(three) {
		t.Error("still signed in after signing out everywhere")
	}
	if body := n.Call(http.MethodGet, "/api/v1/audit?action=sign-out", "").
		WantStatus(t, http.StatusOK).Body; !strings.Contains(string(body), `{"sessions":2}`) {
		t.Errorf("the audit log has %s", body)
	}
}

func TestSessions_EndWithAChangeOfTheAddress(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	browser := n.Browser()
	n.CreateUser("mover@example.com", n.RoleID("Viewer"))
	n.Login(browser, "mover@example.com", nodetest.UserPassword)
	session := []string{"Authorization", "", "Cookie", n.Cookies(browser)}
	n.Call(http.MethodGet, "/api/v1/me", "", session...).WantStatus(t, http.StatusOK)
	n.Call(http.MethodPatch, "/api/v1/users/"+n.UserID("mover@example.com"), `{"email":"moved@example.com"}`).
		WantStatus(t, http.StatusOK)
	nodetest.Eventually(t, "the session has ended", func() bool {
		return n.Call(http.MethodGet, "/api/v1/me", "", session...).Status == http.StatusUnauthorized
	})
}

func TestThrottle_RefusesGuessesAndNotTheOwner(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	ada := n.CreateUser("ada@example.com", n.RoleID("Viewer"))
	ada.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
	browser := n.Browser()
	n.Login(browser, "ada@example.com", nodetest.UserPassword)
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		refused := false
		for i := range 12 {
			got := n.As(email, fmt.Sprint("guess ", i)).Call(http.MethodGet, "/api/v1/me", "")
			if refused = got.Status == http.StatusTooManyRequests; refused {
				if got.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				break
			}
			got.WantProblem(t, email, http.StatusUnauthorized, "UNAUTHENTICATED")
		}
		if !refused {
			t.Errorf("%s: twelve guesses were not throttled", email)
		}
	}
	// The owner is not refused, neither by session nor by password, even when the password has to be hashed again.
	n.Call(http.MethodGet, "/api/v1/me", "", "Authorization", "", "Cookie", n.Cookies(browser)).
		WantStatus(t, http.StatusOK)
	n.CreateRole("Another", account.APIAccess)
	// empties the cache of sign-ins
	n.Call(http.MethodPatch, "/api/v1/roles/"+n.RoleID("Another"), `{"permissions":[]}`).WantStatus(t, http.StatusOK)
	ada.Call(http.MethodGet, "/api/v1/me", "").WantStatus(t, http.StatusOK)
}

func TestSessions_OpenWebSocketsOfThisOriginOnly(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	dial := func(origin string) (*nodetest.Socket, error) {
		return n.DialAs("graphql-transport-ws", http.Header{"Cookie": {n.Cookies(browser)}, "Origin": {origin}})
	}
	if _, err := dial("https://evil.example"); err == nil {
		t.Error("another origin's page opened a WebSocket")
	}
	s, err := dial(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.Send(map[string]any{"type": "connection_init"})
	if kind, _ := s.Receive(); kind != "connection_ack" {
		t.Fatalf("got %s", kind)
	}
	n.Submit(browser, "/logout", nil)
	if code, reason := s.AwaitClose(); code != 4401 {
		t.Errorf("after signing out, the WebSocket is closed with %d %q", code, reason)
	}
}

// A page of a token's origin may open a WebSocket, and needs a token: the browser sends the cookie of a person who is
// signed in, to pages of the same site.
func TestSessions_OpenNoWebSocketOfATokensOrigin(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	const origin = "https://app.example.com"
	n.InsertToken(nodetest.Token{Permissions: account.Permissions{account.ItemsView}, Origins: []string{origin}})
	nodetest.Eventually(t, "the node knows the origin", func() bool { return n.SignIn.AllowsOrigin(origin) })
	s, err := n.DialAs("graphql-transport-ws", http.Header{"Cookie": {n.Cookies(browser)}, "Origin": {origin}})
	if err != nil {
		t.Fatal(err)
	}
	s.Send(map[string]any{"type": "connection_init"})
	if code, reason := s.AwaitClose(); code != 4401 {
		t.Errorf("the WebSocket is closed with %d %q", code, reason)
	}
}
