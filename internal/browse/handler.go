package browse

import (
	"net/http"
	"slices"
	"strings"

	"itemcast/internal/accept"
	"itemcast/internal/browse/form"
	"itemcast/internal/problem"
)

// SignIn returns a request with its user in the context (account.WithActor), and an error when the user may not use the
// API. Together with an error, the request may have a user. SignIn may set headers of the answer.
type SignIn func(http.ResponseWriter, *http.Request) (*http.Request, error)

// Around serves the document's operations behind a sign-in: as pages to browsers, unchanged to every other client.
func (p *Pages) Around(signIn SignIn, operations http.Handler) http.Handler {
	return &handler{Pages: p, signIn: signIn, operations: operations}
}

type handler struct {
	*Pages
	signIn     SignIn
	operations http.Handler
}

// vary names the headers of requests on which the form of an answer depends.
const vary = "Accept, Sec-Fetch-Mode"

// addVary adds vary to an answer's headers, once.
func addVary(header http.Header) {
	if !slices.Contains(header["Vary"], vary) {
		header["Vary"] = append(header["Vary"], vary)
	}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	addVary(w.Header())
	wantsPage := accept.PrefersHTML(r.Header)
	signInAddress := "" // a request without a user is redirected to it; "": it is refused
	request, format := cutFormat(r)
	switch format {
	case formatJSON:
		if wantsPage {
			request.Header.Set("Accept", "*/*")
			if r.Method == http.MethodGet && h.sendsToSignIn(r) {
				signInAddress = h.signInAddress(r)
			}
		}
		wantsPage = false
	case formatHTML:
		wantsPage = true
	}
	switch {
	case wantsPage && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		h.read(w, request)
	case wantsPage && isForm(r):
		h.submit(w, request)
	default:
		h.plain(w, request, signInAddress)
	}
}

// plain answers as the API does. A plain 401 would make a browser open its own sign-in dialog, so for browsers
// signInAddress is set, and replaces the 401.
func (h *handler) plain(w http.ResponseWriter, r *http.Request, signInAddress string) {
	signed, err := h.signIn(w, r)
	switch {
	case signInAddress != "" && problem.Is(err, problem.Unauthenticated):
		redirect(w, signInAddress)
	case err != nil:
		h.options.Problems.Write(w, signed, err)
	default:
		h.operations.ServeHTTP(w, signed)
	}
}

// isForm reports whether a request is one of our forms.
func isForm(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), form.ContentType)
}

// The parameter of a page that overrides Accept. It never reaches the API.
const (
	formatParameter = "format"
	formatJSON      = "json"
	formatHTML      = "html"
)

// cutFormat removes the parameter from a request and returns its value. With any other value than these two, it returns
// the request unchanged, and the API refuses it.
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
