package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"itemcast/internal/contract"
)

// A client that is still there is told to come again, whether it has sent a body or not, and is not taken for one that has gone.
func TestDeadlines_WhoWaitsTooLongIsToldToComeAgain(t *testing.T) {
	t.Parallel()
	waiting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		contract.WriteProblem(w, r, r.Context().Err())
	})
	server := httptest.NewServer(deadlines(limits{body: time.Millisecond, work: 50 * time.Millisecond, answer: time.Minute}, waiting))
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
