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

// sessions accept the password "right" and the token "T".
func sessions(user string) Sessions {
	check := func(given, want string) error {
		if given != want {
			return errWrong
		}
		return nil
	}
	return Sessions{
		User: func(*http.Request) string { return user },
		SignIn: func(_ http.ResponseWriter, _ *http.Request, _, password string) error {
			return check(password, "right")
		},
		SignOut: func(http.ResponseWriter, *http.Request, bool) error { return nil },
		ResetUser: func(_ context.Context, token string) (string, error) {
			if err := check(token, "T"); err != nil {
				return "", err
			}
			return "ada@example.com", nil
		},
		ResetPassword: func(_ context.Context, _, password string) error { return check(password, "right") },
		Explain:       func(error) (int, string) { return http.StatusUnauthorized, "It is <wrong>." },
	}
}

func submit(h http.Handler, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestForms_ThatAreTooLargeOrBrokenSayWhy(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]http.Handler{
		"login": newLogin(builtTree(t), "https://items.example", sessions("")), "logout": Logout("https://items.example", sessions("")), "reset": newReset(builtTree(t), "https://items.example", sessions("")),
	} {
		w := submit(page, url.Values{"password": {strings.Repeat("x", maxForm)}})
		if want := "The form has more than 16384 bytes."; w.Code != http.StatusRequestEntityTooLarge ||
			!strings.Contains(w.Body.String(), want) {
			t.Errorf("%s, too large: %d %s", name, w.Code, w.Body)
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a=%zz"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w = httptest.NewRecorder()
		if page.ServeHTTP(w, r); w.Code != http.StatusBadRequest {
			t.Errorf("%s, broken: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestLogin_ShowsWhatIsWrongAndRetainsTheNextAddress(t *testing.T) {
	t.Parallel()
	w := submit(newLogin(builtTree(t), "https://items.example", sessions("")),
		url.Values{"email": {`"><script>`}, "password": {"no"}, "next": {"/items"}})
	body := w.Body.String()
	if w.Code != http.StatusUnauthorized || !strings.Contains(body, "It is &lt;wrong&gt;.") ||
		!strings.Contains(body, `value="/items"`) {
		t.Errorf("%d %s", w.Code, body)
	}
	if strings.Contains(body, "<script>") || strings.Contains(body, `value="no"`) {
		t.Errorf("the page has what it must not have: %s", body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	if w.Header().Get("Cache-Control") != "no-store" || directive(policy, "form-action") != "'self'" {
		t.Errorf("%v", w.Header())
	}
}

func TestLogin_LeadsToThisServerOnly(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"":                     "/",
		"/items?limit=1":       "/items?limit=1",
		"/%2f/evil.example":    "/%2f/evil.example",
		"items":                "/",
		"//evil.example":       "/",
		"///evil.example":      "/",
		"https://evil.example": "/",
		`/\evil.example`:       "/",
		`\\evil.example`:       "/",
		"/\t/evil.example":     "/",
		"javascript:alert(1)":  "/",
	} {
		w := submit(newLogin(builtTree(t), "https://items.example", sessions("")),
			url.Values{"email": {"a@b"}, "password": {"right"}, "next": {next}})
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("%q leads to %d %q, want %q", next, w.Code, got, want)
		}
	}
}

func TestSignIn_LeadsToAddressesBelowThePathOfThePublicURL(t *testing.T) {
	t.Parallel()
	const publicURL = "https://example.com/hub"
	for name, c := range map[string]struct {
		h    http.Handler
		form url.Values
		want string
	}{
		"login":  {newLogin(builtTree(t), publicURL, sessions("")), url.Values{"password": {"right"}}, "/hub/"},
		"logout": {Logout(publicURL, sessions("")), nil, "/hub/login"},
		"reset": {newReset(builtTree(t), publicURL, sessions("")), url.Values{"token": {"T"}, "password": {"right"}},
			"/hub/login?reset"},
	} {
		if got := submit(c.h, c.form).Header().Get("Location"); got != c.want {
			t.Errorf("%s leads to %s, want %s", name, got, c.want)
		}
	}
}

func TestLogout_TakesAFormOnly(t *testing.T) {
	t.Parallel()
	s := sessions("a@b")
	s.SignOut = func(http.ResponseWriter, *http.Request, bool) error {
		t.Error("a GET signs out")
		return nil
	}
	if w := request(Logout("https://items.example", s), "GET", "/logout"); w.Header().Get("Location") != "/login" {
		t.Errorf("GET leads to %d %q", w.Code, w.Header().Get("Location"))
	}
}

func TestReset_LoadingThePageDoesNotUseUpTheLink(t *testing.T) {
	t.Parallel()
	h := newReset(builtTree(t), "https://items.example", sessions(""))
	w := request(h, "GET", "/reset?token=T")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `name="password"`) {
		t.Errorf("a valid link: %d %s", w.Code, w.Body)
	}
	w = request(h, "GET", "/reset?token=other")
	if w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "<form") {
		t.Errorf("an invalid link: %d %s", w.Code, w.Body)
	}
	w = submit(h, url.Values{"token": {"T"}, "password": {"no"}})
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `value="T"`) {
		t.Errorf("a bad password: %d %s", w.Code, w.Body)
	}
	w = submit(h, url.Values{"token": {"T"}, "password": {"right"}})
	if w.Header().Get("Location") != "/login?reset" {
		t.Errorf("a good password: %d %v", w.Code, w.Header())
	}
}

func TestSignInPages_HaveNoScriptAndWorkInAnUnbuiltTree(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.Handler{
		"login": newLogin(unbuiltTree(), "https://items.example", sessions("a@b")),
		"reset": newReset(unbuiltTree(), "https://items.example", sessions("")),
	} {
		body := request(h, "GET", "/?token=T").Body.String()
		if strings.Contains(body, "<script") || strings.Contains(body, "style=") {
			t.Errorf("%s has a script or a style: %s", name, body)
		}
		if !strings.Contains(body, "make build") || !strings.Contains(body, "<form") {
			t.Errorf("%s: %s", name, body)
		}
	}
}
