package browse_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"log/slog"

	"itemcast/internal/account"
	"itemcast/internal/browse"
	"itemcast/internal/browse/form"
	"itemcast/internal/contract"
	"itemcast/internal/contract/contracttest"
	"itemcast/internal/problem"
)

const (
	publicURL     = "https://things.example"
	browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
)

var problems = contract.NewProblems(slog.New(slog.DiscardHandler))

// site is the pages of testdata/things.yaml around an API that answers what a test chooses.
type site struct {
	http.Handler
	t        testing.TB
	actor    *account.Actor // nil: a stranger
	options  browse.Options
	respond  http.HandlerFunc // the API
	requests []apiRequest     // that the API received
}

type apiRequest struct {
	*http.Request
	body string
}

// setup makes a site whose user may do everything, and whose API answers {}.
func setup(t testing.TB, with ...func(*site)) *site {
	t.Helper()
	document := contracttest.File(t, "testdata/things.yaml")
	s := &site{
		t:       t,
		actor:   &account.Actor{Email: "ann@example.com", Permissions: account.All()},
		options: browse.Options{PublicURL: publicURL, Problems: problems},
		respond: func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, `{}`) },
	}
	for _, change := range with {
		change(s)
	}
	pages, err := browse.New(document, s.options)
	if err != nil {
		t.Fatal(err)
	}
	operations := http.NewServeMux()
	pages.Describe(operations)
	operations.HandleFunc("/", s.receive)
	s.Handler = pages.Problems(nil, problems.Recover(pages.Around(s.signIn, operations)))
	return s
}

func (s *site) signIn(_ http.ResponseWriter, r *http.Request) (*http.Request, error) {
	if s.actor == nil {
		return r, problem.New(problem.Unauthenticated, "Sign in.")
	}
	return r.WithContext(account.WithActor(r.Context(), *s.actor)), nil
}

func (s *site) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.requests = append(s.requests, apiRequest{r, string(body)})
	s.respond(w, r)
}

// last returns the request that the API received last.
func (s *site) last() apiRequest {
	s.t.Helper()
	if len(s.requests) == 0 {
		s.t.Fatal("the API received no request")
	}
	return s.requests[len(s.requests)-1]
}

// answering makes the API answer with JSON; header is names and values.
func answering(status int, body string, header ...string) func(*site) {
	return func(s *site) {
		s.respond = func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, status, body, header...) }
	}
}

// failing makes the API answer with a problem.
func failing(err error) func(*site) {
	return func(s *site) {
		s.respond = func(w http.ResponseWriter, r *http.Request) { problems.Write(w, r, err) }
	}
}

// as gives the user these permissions only.
func as(permissions ...account.Permission) func(*site) {
	return func(s *site) { s.actor = &account.Actor{Email: "ann@example.com", Permissions: permissions} }
}

func stranger(s *site) { s.actor = nil }

func writeJSON(w http.ResponseWriter, status int, body string, header ...string) {
	w.Header().Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		w.Header().Set(header[i], header[i+1])
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// open opens an address in a browser.
func (s *site) open(target string) page {
	s.t.Helper()
	return s.do(http.MethodGet, target, "", "Accept", browserAccept)
}

// post sends a form as a browser does.
func (s *site) post(target string, values url.Values) page {
	s.t.Helper()
	return s.postText(target, values.Encode())
}

func (s *site) postText(target, text string) page {
	s.t.Helper()
	return s.do(http.MethodPost, target, text, "Accept", browserAccept, "Content-Type", form.ContentType)
}

func (s *site) do(method, target, body string, header ...string) page {
	s.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return page{w, s.t, w.Body.String()}
}

// page is what a browser receives.
type page struct {
	*httptest.ResponseRecorder
	t    testing.TB
	text string
}

func (p page) status(want int) page {
	p.t.Helper()
	if p.Code != want {
		p.t.Errorf("status %d, want %d: %.400s", p.Code, want, p.text)
	}
	return p
}

func (p page) has(want ...string) page {
	p.t.Helper()
	for _, text := range want {
		if !strings.Contains(p.text, text) {
			p.t.Errorf("the page has no %q:\n%s", text, p.excerpt())
		}
	}
	return p
}

func (p page) lacks(unwanted ...string) page {
	p.t.Helper()
	for _, text := range unwanted {
		if strings.Contains(p.text, text) {
			p.t.Errorf("the page has %q:\n%s", text, p.excerpt())
		}
	}
	return p
}

func (p page) leadsTo(want string) page {
	p.t.Helper()
	if got := p.status(http.StatusSeeOther).Header().Get("Location"); got != want {
		p.t.Errorf("the page leads to %q, want %q", got, want)
	}
	return p
}

// main returns the page without its head and navigation.
func (p page) main() string {
	_, main, _ := strings.Cut(p.text, "<main")
	return main
}

// excerpt is what a failing test shows.
func (p page) excerpt() string {
	main := p.main()
	return main[:min(len(main), 3000)]
}

var tag = regexp.MustCompile(`<[^>]*>`)

// body returns the text of the answer's body as a browser reads it.
func (p page) body() string {
	_, rest, _ := strings.Cut(p.text, `<code id="body">`)
	shown, _, _ := strings.Cut(rest, "</code></pre>")
	return html.UnescapeString(tag.ReplaceAllString(shown, ""))
}
