package contract

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"

	"itemcast/internal/problem"
)

// Recover answers a panic with INTERNAL and logs it with its stack. If the answer has begun, it cuts the connection, so
// that the client does not take a part for the whole.
func (p *Problems) Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		watched := &watchedWriter{ResponseWriter: w}
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) { // a handler cuts the connection
				panic(reason)
			}
			p.log.ErrorContext(r.Context(), "request panicked", "method", r.Method, "path", r.URL.Path,
				"panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			if watched.begun {
				panic(http.ErrAbortHandler)
			}
			writeDocument(w, problem.From(errPanic))
		}()
		next.ServeHTTP(watched, r)
	})
}

var errPanic = errors.New("panic")

// watchedWriter records whether the answer has begun.
type watchedWriter struct {
	http.ResponseWriter
	begun bool
}

func (w *watchedWriter) WriteHeader(status int) {
	w.begun = w.begun || status >= 200 || status == http.StatusSwitchingProtocols
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps net/http's own way to send a file (sendfile).
func (w *watchedWriter) ReadFrom(from io.Reader) (int64, error) {
	w.begun = true
	return io.Copy(w.ResponseWriter, from)
}

// Flush makes the writer an http.Flusher, which some libraries need instead of a ResponseController.
func (w *watchedWriter) Flush() {
	w.begun = true
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
