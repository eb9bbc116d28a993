package browse

import (
	"net/http"
	"net/url"

	"itemcast/internal/browse/form"
)

// exchange is a request of the API and its answer.
type exchange struct {
	request *http.Request
	sent    *form.Submission // the form that the request was made from; nil for no form, and for an unreadable one
	user    user
	answer  *recorder
}

// call signs in and sends a request to the API. It writes nothing to w, but uses w's headers and deadlines.
func (h *handler) call(w http.ResponseWriter, r *http.Request) exchange {
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

// withoutConditions copies a browser's request, as a request for the whole answer in any type: what the browser has
// cached is a page, not the answer.
func withoutConditions(r *http.Request) *http.Request {
	plain := r.Clone(r.Context())
	plain.Header.Set("Accept", "*/*")
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "Range", "Last-Event-Id"} {
		plain.Header.Del(name)
	}
	return plain
}

// getOf returns a GET of the address to which a form was sent.
func getOf(r *http.Request) *http.Request {
	get := withoutConditions(r)
	get.Method, get.URL.RawQuery = http.MethodGet, ""
	get.Body, get.ContentLength = http.NoBody, 0
	get.Header.Del("Content-Type")
	return get
}

// sendsToSignIn reports whether a request without a user is redirected to the sign-in page. A request with wrong
// credentials is refused instead: the browser would send them to the sign-in page, too.
func (p *Pages) sendsToSignIn(r *http.Request) bool {
	return p.options.LoginURL != "" && r.Header.Get("Authorization") == ""
}

// signInAddress returns the address of the sign-in page, which then leads back to the request's address.
func (p *Pages) signInAddress(r *http.Request) string {
	return p.options.LoginURL + "?next=" + url.QueryEscape(r.URL.RequestURI())
}

func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}
