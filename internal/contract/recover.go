package contract

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"itemcast/internal/problem"
)

// Recover answers a panic with INTERNAL, and logs it with its stack. When the answer has begun already, the connection is cut, so that
// nobody takes half of it for the whole.
func Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		watched := &watchedWriter{ResponseWriter: w}
		defer func() {
			reason := recover()
			if reason == nil {
				return
			}
			if err, ok := reason.(error); ok && errors.Is(err, http.ErrAbortHandler) { // net/http's own way to cut a connection
				panic(reason)
			}
			slog.ErrorContext(r.Context(), "request panicked", "method", r.Method, "path", r.URL.Path,
				"panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
			if watched.begun {
				panic(http.ErrAbortHandler)
			}
			writeDocument(w, problem.New(problem.Internal, "Something went wrong inside; it has been logged."))
		}()
		next.ServeHTTP(watched, r)
	})
}

// watchedWriter knows whether the answer has begun.
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

// Flush is for streams: many ask for http.Flusher rather than for a ResponseController.
func (w *watchedWriter) Flush() {
	w.begun = true
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
