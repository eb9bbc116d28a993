package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

var errWrong = errors.New("wrong")

// signIn takes one password and one token.
func signIn(who string) SignIn {
	return SignIn{
		Who: func(*http.Request) string { return who },
		Open: func(_ http.ResponseWriter, _ *http.Request, _, password string) error {
			if password != "right" {
				return errWrong
			}
			return nil
		},
		Close: func(http.ResponseWriter, *http.Request, bool) error { return nil },
		ResetUser: func(_ context.Context, token string) (string, error) {
			if token != "T" {
				return "", errWrong
			}
			return "ada@example.com", nil
		},
		Reset: func(_ context.Context, _, password string) error {
			if password != "right" {
				return errWrong
			}
			return nil
		},
		Explain: func(error) (int, string) { return http.StatusUnauthorized, "It is <wrong>." },
	}
}

func submit(h http.Handler, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestLogin_ShowsWhatWentWrongAndKeepsTheAddress(t *testing.T) {
	t.Parallel()
	w := submit(newLogin(builtTree(t), signIn("")), url.Values{"email": {`"><script>`}, "password": {"no"}, "next": {"/items"}})
	body := w.Body.String()
	if w.Code != http.StatusUnauthorized || !strings.Contains(body, "It is &lt;wrong&gt;.") || strings.Contains(body, "<script>") || !strings.Contains(body, `value="/items"`) {
		t.Errorf("%d %s", w.Code, body)
	}
	if strings.Contains(body, `value="no"`) || w.Header().Get("Cache-Control") != "no-store" || directive(w.Header().Get("Content-Security-Policy"), "form-action") != "'self'" {
		t.Errorf("%v %s", w.Header(), body)
	}
}

func TestLogin_GoesOnToThisServerOnly(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"": "/", "/items?limit=1": "/items?limit=1", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/", `\\evil.example`: "/", "/\t/evil.example": "/",
		"javascript:alert(1)": "/", "items": "/", "/%2f/evil.example": "/%2f/evil.example", "///evil.example": "/",
	} {
		w := submit(newLogin(builtTree(t), signIn("")), url.Values{"email": {"a@b"}, "password": {"right"}, "next": {next}})
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("%q leads to %d %q, want %q", next, w.Code, got, want)
		}
	}
}

func TestReset_LookingUsesNothingUp(t *testing.T) {
	t.Parallel()
	h := newReset(builtTree(t), signIn(""))
	if w := request(h, "GET", "/reset?token=T"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `name="password"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := request(h, "GET", "/reset?token=other"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "<form") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := submit(h, url.Values{"token": {"T"}, "password": {"no"}}); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `value="T"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := submit(h, url.Values{"token": {"T"}, "password": {"right"}}); w.Header().Get("Location") != "/login?reset" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestHome_SaysWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	if body := request(newHome(builtTree(t), "https://items.example", func(*http.Request) string { return "ada@example.com" }), "GET", "/").Body.String(); !strings.Contains(body, "ada@example.com") ||
		!strings.Contains(body, `action="/logout"`) || !strings.Contains(body, `name="everywhere"`) {
		t.Error(body)
	}
	if body := request(newHome(builtTree(t), "https://items.example", nobody), "GET", "/").Body.String(); !strings.Contains(body, `href="/login"`) {
		t.Error(body)
	}
}

func TestSignInPages_RunNoScriptAndWorkUnbuilt(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.Handler{"login": newLogin(unbuiltTree(), signIn("a@b")), "reset": newReset(unbuiltTree(), signIn(""))} {
		w := request(h, "GET", "/?token=T")
		if body := w.Body.String(); strings.Contains(body, "<script") || strings.Contains(body, "style=") || !strings.Contains(body, "make build") || !strings.Contains(body, "<form") {
			t.Errorf("%s: %s", name, body)
		}
	}
	if w := request(Logout(signIn("a@b")), "GET", "/logout"); w.Header().Get("Location") != "/login" {
		t.Errorf("a GET signs out: %d", w.Code)
	}
}
