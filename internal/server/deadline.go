package server

import (
	"net/http"
	"strings"
	"time"
)

const (
	bodyWithin   = 30 * time.Second // for a client to send an ordinary request's body
	answerWithin = 60 * time.Second // for the work, and for a client to read an ordinary answer
)

// deadlines ends requests whose clients dawdle.
func deadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		_ = c.SetReadDeadline(time.Now().Add(bodyWithin)) // fails only where there is no connection, as in a test
		_ = c.SetWriteDeadline(time.Now().Add(answerWithin))
		next.ServeHTTP(w, r)
	})
}

// unhurried lifts the deadlines of what streams: it lasts as long as its client takes part, and whoever serves it sees to that. Following the
// changes is among it, as a page too: it may wait for longer than a body, and a read deadline that passes while a handler works cancels its
// request. It belongs behind the sign-in: a stranger's request is never without a deadline. (A WebSocket's end with its handshake.)
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
