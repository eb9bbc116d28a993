package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/publicurl"
)

// forEachProxy runs a test behind a proxy that removes the path of the public URL, and behind one that passes it on.
func forEachProxy(t *testing.T, test func(t *testing.T, n *nodetest.Node)) {
	t.Helper()
	t.Parallel()
	for name, strips := range map[string]bool{"strips": true, "passes on": false} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, nodetest.StartProxied(t, strips)) })
	}
}

var address = regexp.MustCompile(`(?:href|src|action|data-endpoint|data-home|data-live|data-plain)="(/[^"]*)"`)

func TestProxied_EveryAddressOnEveryPageLeadsSomewhere(t *testing.T) {
	forEachProxy(t, func(t *testing.T, n *nodetest.Node) {
		id := n.CreateItem(`{"name":"Gilda","tags":["noir"]}`)
		n.CreateItem(`{"name":"Laura"}`)
		seen := map[string]bool{}
		for _, page := range []string{"/", "/login", "/graphql", "/api/v1/", "/api/v1", "/api/v1/items", "/api/v1/items?limit=1",
			"/api/v1/items/" + id, "/api/v1/me", "/api/v1/nothing", "/nothing"} {
			for _, user := range []string{n.Authorization, ""} {
				got := n.Page(n.Browser(), page, "Authorization", user)
				if location := got.Header.Get("Location"); got.Status == http.StatusSeeOther {
					if want := "/hub/login?next=" + url.QueryEscape("/hub"+page); location != want && page != "/api/v1" {
						t.Errorf("%s leads to %s, want %s", page, location, want)
					}
					continue
				}
				found := address.FindAllStringSubmatch(string(got.Body), -1)
				if len(found) < 3 {
					t.Errorf("%s has status %d and the addresses %q", page, got.Status, found)
				}
				for _, match := range found {
					seen[strings.ReplaceAll(match[1], "&amp;", "&")] = true
				}
			}
		}
		for at := range seen {
			path, _, _ := strings.Cut(at, "#")
			below, ours := strings.CutPrefix(path, nodetest.ProxiedPath)
			if !ours {
				t.Errorf("a page refers to %s", at)
				continue
			}
			if strings.Contains(below, "/nothing") || strings.Contains(below, "?op=") && !strings.Contains(below, "Item") {
				continue
			}
			if strings.HasSuffix(below, "/workflow") { // the item has none; the page has the form that starts one
				got := n.Page(n.Browser(), below)
				if got.Status != http.StatusNotFound || !strings.Contains(string(got.Body), "The item has no workflow run.") ||
					!strings.Contains(string(got.Body), "Start a workflow") {
					t.Errorf("%s has status %d, without the way to start a workflow", at, got.Status)
				}
				continue
			}
			if got := n.Page(n.Browser(), below); got.Status >= 400 && got.Status != http.StatusMethodNotAllowed {
				t.Errorf("%s has status %d", at, got.Status)
			}
		}
	})
}

func TestProxied_URLsOfAnswersAreBelowThePublicURL(t *testing.T) {
	forEachProxy(t, func(t *testing.T, n *nodetest.Node) {
		created := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Gilda"}`).WantStatus(t, http.StatusCreated)
		n.CreateItem(`{"name":"Laura"}`)
		at := n.URL + "/api/v1/items/" + created.Field(t, "id")
		if location := created.Header.Get("Location"); location != at || created.Field(t, "url") != at {
			t.Errorf("the item is at %s and %s, want %s", location, created.Field(t, "url"), at)
		}
		list := n.Call(http.MethodGet, "/api/v1/items?limit=1", "").WantStatus(t, http.StatusOK)
		next := list.Link(t, "next")
		if next == nil || !strings.HasPrefix(next.String(), n.URL+"/api/v1/items?") || list.Field(t, "next") != next.String() {
			t.Fatalf("the next page is at %v and %s", next, list.Body)
		}
		n.Call(http.MethodGet, strings.TrimPrefix(next.String(), n.URL), "").WantStatus(t, http.StatusOK)

		var document struct{ Servers []struct{ URL string } }
		if err := json.Unmarshal(n.Call(http.MethodGet, "/api/v1/openapi.json", "").Body, &document); err != nil ||
			len(document.Servers) != 1 || document.Servers[0].URL != n.URL+"/api/v1" {
			t.Errorf("%v: the contract names the servers %v", err, document.Servers)
		}
		if text := n.Call(http.MethodGet, "/api/v1/openapi.yaml", "").Body; !strings.Contains(string(text),
			"\nservers:\n  - url: "+n.URL+"/api/v1\n") {
			t.Error("the contract as YAML does not name the server")
		}
		n.CreateUser("ada@example.com", n.RoleID("Viewer"))
		link := n.Call(http.MethodPost, "/api/v1/users/"+n.UserID("ada@example.com")+"/reset-link", "").Field(t, "url")
		if below, ours := strings.CutPrefix(link, n.URL); !ours || n.Call(http.MethodGet, below, "").Status != http.StatusOK {
			t.Errorf("the reset link is %s", link)
		}
		if text := string(n.Call(http.MethodGet, "/api/v1/items/", "").Body); !strings.Contains(text, "/hub/api/v1/items.") {
			t.Errorf("a wrong address is answered with %s", text)
		}
	})
}

func TestProxied_ABrowsersSessionIsForThePathOnly(t *testing.T) {
	forEachProxy(t, func(t *testing.T, n *nodetest.Node) {
		browser := n.Browser()
		got := n.Submit(browser, "/login", url.Values{"email": {nodetest.AdminEmail}, "password": {nodetest.AdminPassword}})
		if got.Header.Get("Location") != "/hub/" || !strings.Contains(got.Header.Get("Set-Cookie"), "Path=/hub;") {
			t.Errorf("%d %v", got.Status, got.Header)
		}
		session := http.Header{"Cookie": {n.Cookies(browser)}, "Origin": {publicurl.Origin(n.URL)}}
		n.WithAuthorization("").Call(http.MethodPost, "/api/v1/items", `{"name":"ours"}`, "Cookie", session.Get("Cookie"),
			"Origin", session.Get("Origin")).WantStatus(t, http.StatusCreated)
		n.WithAuthorization("").Call(http.MethodPost, "/api/v1/items", `{"name":"forged"}`, "Cookie", session.Get("Cookie"),
			"Origin", "https://evil.example").WantStatus(t, http.StatusForbidden)
		s, err := n.DialAs("graphql-transport-ws", session)
		if err != nil {
			t.Fatal(err)
		}
		s.Send(nodetest.Frame{"type": "connection_init"})
		if kind, _ := s.Receive(); kind != "connection_ack" {
			t.Fatalf("got %s", kind)
		}
		stream := n.StreamChanges("", "Authorization", "", "Cookie", session.Get("Cookie"))
		stream.Begin()
		n.CreateItem(`{"name":"Gilda"}`)
		if e := stream.NextChange(); !strings.Contains(e.Data, n.URL+"/api/v1/items/") {
			t.Errorf("the stream has %s", e.Data)
		}
	})
}
