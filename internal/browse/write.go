package browse

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// writeTimeout is how long a browser may take to receive a page, however long the API took for the answer.
const writeTimeout = 60 * time.Second

// policy is the Content-Security-Policy: scripts, styles, pictures and connections of this server only, none inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// write answers with a page, and with the status of the answer that it shows.
func (p *Pages) write(w http.ResponseWriter, r *http.Request, page *view, answer *recorder) {
	var out bytes.Buffer
	out.Grow(len(page.Answer.Body) + 128<<10)
	if err := templates.ExecuteTemplate(&out, "page.html", page); err != nil {
		p.options.Problems.Write(w, r, fmt.Errorf("render a page: %w", err))
		return
	}
	p.setHeaders(w.Header(), answer)
	err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	w.WriteHeader(statusOf(answer))
	_, _ = w.Write(out.Bytes()) // fails when the client is gone
}

func (p *Pages) setHeaders(header http.Header, answer *recorder) {
	for _, name := range []string{"Allow", "Retry-After", "Www-Authenticate"} {
		if values, found := answer.header[name]; found {
			header[name] = values
		}
	}
	if p.options.LoginURL != "" {
		header.Del("Www-Authenticate") // it would make the browser open its own sign-in dialog over the page
	}
	if location := answer.header.Get("Location"); answer.status/100 == 3 && location != "" {
		header.Set("Location", location)
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
	addVary(header)
}

// statusOf returns the status of the page of an answer. A page has a body, so it cannot have a status that forbids one.
func statusOf(answer *recorder) int {
	if s := answer.status; s < 200 || s == http.StatusNoContent || s == http.StatusNotModified {
		return http.StatusOK
	}
	return answer.status
}
