package browse

import (
	"net/http"
	"net/url"

	"itemcast/internal/browse/form"
)

// exchange is a request of the API and its answer.
type exchange struct {
	request *http.Request
	sent    *form.Submission // what the request was made of; nil when it was no form, or could not be read
	user    user
	answer  *recorder
}

// ask signs in and has the API answer a request. It writes nothing to w, but passes on w's headers and deadlines.
func (h *handler) ask(w http.ResponseWriter, r *http.Request) exchange {
	rec := newRecorder(w)
	defer rec.finish()
	signed, err := h.signIn(rec, r)
	if err != nil {
		h.options.Problems.Write(rec, signed, err)
	} else {
		rec.serve(h.operations, signed)
	}
	return exchange{request: r, user: userOf(signed), answer: rec}
}

// withoutConditions copies a browser's request as one for the whole answer, in any type: a page has no cached copy of
// it.
func withoutConditions(r *http.Request) *http.Request {
	asked := r.Clone(r.Context())
	asked.Header.Set("Accept", "*/*")
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "Range", "Last-Event-Id"} {
		asked.Header.Del(name)
	}
	return asked
}

// getOf returns the GET of the address that a form was sent to.
func getOf(r *http.Request) *http.Request {
	get := withoutConditions(r)
	get.Method, get.URL.RawQuery = http.MethodGet, ""
	get.Body, get.ContentLength = http.NoBody, 0
	get.Header.Del("Content-Type")
	return get
}

// sendsToSignIn reports whether a stranger is sent to the sign-in page instead of being refused. One with wrong
// credentials is not: the browser would send them there again.
func (p *Pages) sendsToSignIn(r *http.Request) bool {
	return p.options.LoginURL != "" && r.Header.Get("Authorization") == ""
}

// signInAddress returns the address to sign in, which then leads back to a request's.
func (p *Pages) signInAddress(r *http.Request) string {
	return p.options.LoginURL + "?next=" + url.QueryEscape(r.URL.RequestURI())
}

func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}
