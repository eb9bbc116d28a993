package browse

import (
	"net/http"
	"strings"

	"itemcast/internal/accept"
)

// Problems makes pages, for browsers, of the failures that come from outside the document's operations: of what no handler wants, or a
// middleware refuses. What is no problem passes through. Who tells the name of who has signed in, if anybody has; nil: nobody knows.
func (a *API) Problems(who func(*http.Request) string, next http.Handler) http.Handler {
	p := &pages{API: a}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !accept.PrefersHTML(r.Header["Accept"]) || strings.Contains(r.URL.RawQuery, formatParameter+"=json") {
			next.ServeHTTP(w, r)
			return
		}
		held := &problemWriter{ResponseWriter: w}
		next.ServeHTTP(held, r)
		if held.rec == nil {
			return
		}
		v := &visit{}
		if who != nil {
			v.actor.Email = who(r)
			v.known = v.actor.Email != ""
		}
		page := p.page(w, r, v, nil, nil, held.rec)
		page.Request = p.request(r, v, nil)
		if r.Method != http.MethodGet {
			page.Back = page.Crumbs[0].Href
		}
		p.write(w, r, page, held.rec)
	})
}

// problemWriter keeps a problem back, and lets everything else through.
type problemWriter struct {
	http.ResponseWriter
	rec   *record
	begun bool
}

func (w *problemWriter) WriteHeader(status int) {
	if !w.begun && status >= http.StatusBadRequest && strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
		w.rec = newRecord(w.ResponseWriter)
		for _, name := range []string{"Content-Type", "Content-Length"} {
			w.Header().Del(name)
		}
		w.rec.WriteHeader(status)
	}
	w.begun = w.begun || status >= 200 || status == http.StatusSwitchingProtocols
	if w.rec == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *problemWriter) Write(p []byte) (int, error) {
	w.begun = true
	if w.rec != nil {
		return w.rec.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Flush is for streams.
func (w *problemWriter) Flush() {
	w.begun = true
	if w.rec == nil {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
}

// Unwrap is for http.ResponseController.
func (w *problemWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
