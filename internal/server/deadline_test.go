package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"log/slog"

	"itemcast/internal/contract"
)

// A slow answer is 503 with or without a request body, and never taken for a client that has gone.
func TestDeadlines_AnAnswerThatTakesTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	waiting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		contract.NewProblems(slog.New(slog.DiscardHandler)).Write(w, r, r.Context().Err())
	})
	within := limits{read: time.Millisecond, work: 50 * time.Millisecond, write: time.Minute}
	server := httptest.NewServer(withDeadlines(within, func(*http.Request) bool { return false }, waiting))
	t.Cleanup(server.Close)
	for method, body := range map[string]string{http.MethodGet: "", http.MethodPost: "{}"} {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: got %s, Retry-After %q", method, got.Status, got.Header.Get("Retry-After"))
		}
	}
}
