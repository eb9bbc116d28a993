package browse

import (
	"net/http"
	"strings"

	"itemcast/internal/accept"
	"itemcast/internal/browse/form"
	"itemcast/internal/problem"
)

// SignIn returns a request with its user in the context (account.WithActor), and an error when the user may not use the
// API. The request may have a user even then. It may set headers of the answer.
type SignIn func(http.ResponseWriter, *http.Request) (*http.Request, error)

// Around serves the document's operations behind a sign-in: to browsers as pages, to every other client as they are.
func (p *Pages) Around(signIn SignIn, operations http.Handler) http.Handler {
	return &handler{Pages: p, signIn: signIn, operations: operations}
}

type handler struct {
	*Pages
	signIn     SignIn
	operations http.Handler
}

// vary is shared by all answers; nobody may change the slice.
var vary = []string{"Accept"}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()["Vary"] = vary
	wantsPage := accept.PrefersHTML(r.Header["Accept"])
	strangersGo := "" // where a stranger is sent instead of being refused
	asked, format := cutFormat(r)
	switch format {
	case formatJSON:
		if wantsPage {
			asked.Header.Set("Accept", "*/*")
			if r.Method == http.MethodGet && h.sendsToSignIn(r) {
				strangersGo = h.signInAddress(r)
			}
		}
		wantsPage = false
	case formatHTML:
		wantsPage = true
	}
	switch {
	case wantsPage && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		h.read(w, asked)
	case wantsPage && isForm(r):
		h.submit(w, asked)
	default:
		h.plain(w, asked, strangersGo)
	}
}

// plain answers as the API does. With a plain refusal, a browser would open a box of its own to sign in, so a stranger
// with a browser goes to the sign-in page.
func (h *handler) plain(w http.ResponseWriter, r *http.Request, strangersGo string) {
	signed, err := h.signIn(w, r)
	switch {
	case strangersGo != "" && problem.Is(err, problem.Unauthenticated):
		redirect(w, strangersGo)
	case err != nil:
		h.options.Problems.Write(w, signed, err)
	default:
		h.operations.ServeHTTP(w, signed)
	}
}

// isForm reports whether a browser sent one of our forms.
func isForm(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), form.ContentType)
}

// The parameter of a page that overrides Accept. It never reaches the API.
const (
	formatParameter = "format"
	formatJSON      = "json"
	formatHTML      = "html"
)

// cutFormat takes the parameter out of a request. Another value than the two is left for the API to refuse, and the
// request is returned as it is.
func cutFormat(r *http.Request) (*http.Request, string) {
	if !strings.Contains(r.URL.RawQuery, formatParameter+"=") {
		return r, ""
	}
	format := ""
	var rest []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		switch pair {
		case formatParameter + "=" + formatJSON, formatParameter + "=" + formatHTML:
			_, format, _ = strings.Cut(pair, "=")
		default:
			rest = append(rest, pair)
		}
	}
	if format == "" {
		return r, ""
	}
	cut := r.Clone(r.Context())
	cut.URL.RawQuery = strings.Join(rest, "&")
	return cut, format
}
