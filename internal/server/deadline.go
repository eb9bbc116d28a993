package server

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// limits are how long an ordinary request may take, from when its head has been read.
type limits struct {
	body   time.Duration // for its client to send the body
	work   time.Duration // for us to answer: a client that waits longer, as for a connection to Postgres, is told to come again
	answer time.Duration // for its client to read the answer
}

var ordinary = limits{body: 30 * time.Second, work: 45 * time.Second, answer: time.Minute}

// deadlines ends requests whose clients dawdle, and those for which we do. A client without a body has nothing to send: a read deadline would
// pass while a handler works, and cancel its request as if the client had gone.
func deadlines(within limits, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if r.ContentLength != 0 {
			_ = c.SetReadDeadline(time.Now().Add(within.body)) // fails only where there is no connection, as in a test
		}
		_ = c.SetWriteDeadline(time.Now().Add(within.answer))
		if !streams(r) && r.URL.Path != "/graphql" { // which knows by itself what streams
			ctx, cancel := context.WithTimeout(r.Context(), within.work)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// unhurried lifts the deadlines of what streams: it lasts as long as its client takes part, and whoever serves it sees to that. Following the
// changes is among it, as a page too: it may wait for longer than an answer. It belongs behind the sign-in: a stranger's request is never
// without a deadline. (A WebSocket's end with its handshake.)
func unhurried(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if streams(r) {
			c := http.NewResponseController(w)
			_ = c.SetReadDeadline(time.Time{})
			_ = c.SetWriteDeadline(time.Time{})
		}
		next.ServeHTTP(w, r)
	})
}

func streams(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-ndjson") ||
		strings.HasSuffix(r.URL.Path, "/items/export") ||
		strings.HasSuffix(r.URL.Path, "/changes")
}
