package server

import (
	"context"
	"net/http"
	"time"
)

// limits bound an ordinary request. Each begins when the request's head has been read.
type limits struct {
	read  time.Duration // to read the body from the client
	work  time.Duration // to answer, such as while waiting for a connection to Postgres; then the client gets 503
	write time.Duration // to write the response to the client
}

var ordinary = limits{read: 30 * time.Second, work: 45 * time.Second, write: time.Minute}

// withDeadlines bounds the time of requests. If unbounded reports true for a request, limits.work does not apply.
//
// A request without a body gets no read deadline: the deadline would pass while the handler works, and net/http would
// cancel the request as if the client had gone.
func withDeadlines(within limits, unbounded func(*http.Request) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if r.ContentLength != 0 {
			_ = c.SetReadDeadline(time.Now().Add(within.read)) // fails only where there is no connection, as in a test
		}
		_ = c.SetWriteDeadline(time.Now().Add(within.write))
		if !unbounded(r) {
			ctx, cancel := context.WithTimeout(r.Context(), within.work)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// withoutDeadlines removes the read and write deadlines of requests that stream; their handlers disconnect clients that
// stall. Put it behind the sign-in, so that a stranger's request always has deadlines.
func withoutDeadlines(streams func(*http.Request) bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if streams(r) {
			c := http.NewResponseController(w)
			_ = c.SetReadDeadline(time.Time{})
			_ = c.SetWriteDeadline(time.Time{})
		}
		next.ServeHTTP(w, r)
	})
}
