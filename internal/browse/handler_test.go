package browse_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestNegotiation_OnlyClientsThatPreferHTMLGetPages(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for accept, wantsPage := range map[string]bool{
		browserAccept:                         true,
		"text/html":                           true,
		"text/html, application/json;q=0.9":   true,
		"text/html;q=0.5, application/json":   false,
		"text/html, application/json":         false,
		"text/html;q=0":                       false,
		"text/html;q=0.1, */*":                false,
		"application/json":                    false,
		"*/*":                                 false,
		"":                                    false,
		"text/event-stream":                   false,
		"application/xml, text/html;q=0.5":    true,
		"application/problem+json, text/html": true,
		"text/*":                              false, // browsers name text/html
	} {
		p := s.do(http.MethodGet, "/api/t/things", "", "Accept", accept)
		if got := strings.HasPrefix(p.Header().Get("Content-Type"), "text/html"); got != wantsPage {
			t.Errorf("Accept %q: %s", accept, p.Header().Get("Content-Type"))
		}
		if p.Header().Get("Vary") != "Accept, Sec-Fetch-Mode" {
			t.Errorf("Accept %q: Vary is %q", accept, p.Header()["Vary"])
		}
	}
}

func TestNegotiation_FormatOverridesAcceptAndNeverReachesTheAPI(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for target, c := range map[string]struct {
		accept, query string
		isPage        bool
	}{
		"/api/t/things?format=json":                {browserAccept, "", false},
		"/api/t/things?limit=2&format=json&sort=a": {browserAccept, "limit=2&sort=a", false},
		"/api/t/things?format=json&a=%zz":          {"*/*", "a=%zz", false},
		"/api/t/things?format=html":                {"*/*", "", true},
		"/api/t/things?format=xml":                 {"*/*", "format=xml", false}, // for the contract to refuse
		"/api/t/things?reformat=json":              {browserAccept, "reformat=json", true},
	} {
		p := s.do(http.MethodGet, target, "", "Accept", c.accept)
		if got := strings.HasPrefix(p.Header().Get("Content-Type"), "text/html"); got != c.isPage {
			t.Errorf("%s: %s", target, p.Header().Get("Content-Type"))
		}
		if got := s.last().URL.RawQuery; got != c.query {
			t.Errorf("%s: the API received the query %q, want %q", target, got, c.query)
		}
	}
}

func TestSignIn_StrangersWithABrowserAreSentToTheSignInPage(t *testing.T) {
	t.Parallel()
	s := setup(t, stranger, func(s *site) { s.options.LoginURL = "/login" })
	s.open("/api/t/things?a=1&b=2").leadsTo("/login?next=%2Fapi%2Ft%2Fthings%3Fa%3D1%26b%3D2")
	s.open("/api/t/things?a=1&format=json").leadsTo("/login?next=%2Fapi%2Ft%2Fthings%3Fa%3D1%26format%3Djson")
	s.do(http.MethodGet, "/api/t/things?format=json", "", "Accept", "*/*").status(http.StatusUnauthorized)

	// A form would be lost on the way, and wrong credentials would come along. The browser must not open its own box.
	for _, p := range []page{
		s.postText("/api/t/things", "body.name=x"),
		s.do(http.MethodGet, "/api/t/things", "", "Accept", browserAccept, "Authorization", "Basic YTpi"),
	} {
		p.status(http.StatusUnauthorized).has(`href="/login?next=%2Fapi%2Ft%2Fthings"`)
		if got := p.Header().Get("WWW-Authenticate"); got != "" {
			t.Errorf("WWW-Authenticate: %s", got)
		}
	}
}

func TestSignIn_WithoutASignInPageBrowsersAreChallenged(t *testing.T) {
	t.Parallel()
	p := setup(t, stranger).open("/api/t/things").status(http.StatusUnauthorized)
	p.has(`UNAUTHENTICATED`).lacks(`id="createThing"`)
	if got := p.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, "Basic") {
		t.Errorf("WWW-Authenticate: %q", got)
	}
}
