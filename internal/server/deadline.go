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

// deadlines ends requests whose clients dawdle. What streams has none here: it lasts as long as its client takes part, and whoever serves
// it sees to that. Following the changes is among it, as a page too: it may wait for longer than a body, and a read deadline that passes
// while a handler works cancels its request.
func deadlines(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, answer := time.Now().Add(bodyWithin), time.Now().Add(answerWithin)
		if streams(r) {
			body, answer = time.Time{}, time.Time{} // set all the same: the connection may keep those of a request before
		}
		c := http.NewResponseController(w)
		_ = c.SetReadDeadline(body) // fails only where there is no connection, as in a test
		_ = c.SetWriteDeadline(answer)
		next.ServeHTTP(w, r)
	})
}

func streams(r *http.Request) bool {
	return r.Header.Get("Upgrade") != "" ||
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-ndjson") ||
		strings.HasSuffix(r.URL.Path, "/items/export") ||
		strings.HasSuffix(r.URL.Path, "/changes")
}
