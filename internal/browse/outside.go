package browse

import (
	"net/http"
	"strings"

	"itemcast/internal/accept"
	"itemcast/internal/account"
)

// Problems shows browsers, as pages, the failures outside the document's operations: an address that nothing serves, or
// a request that a middleware refuses. Other answers pass through. userName returns the name of the user who is signed
// in, "" for nobody. A nil userName means that nobody is ever signed in.
func (p *Pages) Problems(userName func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !accept.PrefersHTML(r.Header) || strings.Contains(r.URL.RawQuery, formatParameter+"="+formatJSON) {
			next.ServeHTTP(w, r)
			return
		}
		held := &problemHolder{ResponseWriter: w}
		next.ServeHTTP(held, r)
		if held.problem == nil {
			return
		}
		ex := exchange{request: r, answer: held.problem}
		if userName != nil {
			ex.user.Actor = account.Actor{Email: userName(r)}
			ex.user.known = ex.user.Email != ""
		}
		page := p.page(w, r, nil, nil, ex)
		if r.Method != http.MethodGet {
			page.Back = page.Crumbs[0].Href
		}
		p.write(w, r, page, held.problem)
	})
}

// problemHolder holds back an answer that is a problem, and passes on any other answer.
type problemHolder struct {
	http.ResponseWriter
	problem *recorder // nil for any other answer
	begun   bool
}

func (w *problemHolder) WriteHeader(status int) {
	isProblem := strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json")
	if !w.begun && status >= http.StatusBadRequest && isProblem {
		w.problem = newRecorder(w.ResponseWriter)
		for _, name := range []string{"Content-Type", "Content-Length"} {
			w.Header().Del(name)
		}
		w.problem.WriteHeader(status)
	}
	w.begun = w.begun || status >= 200 || status == http.StatusSwitchingProtocols
	if w.problem == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *problemHolder) Write(p []byte) (int, error) {
	w.begun = true
	if w.problem != nil {
		return w.problem.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Flush is for streams.
func (w *problemHolder) Flush() {
	w.begun = true
	if w.problem == nil {
		_ = http.NewResponseController(w.ResponseWriter).Flush() // fails where a test has no connection
	}
}

// Unwrap is for http.ResponseController.
func (w *problemHolder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
