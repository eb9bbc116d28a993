package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/account/signin"
	"itemcast/internal/bearer"
	"itemcast/internal/live/sse"
)

// tokensOnly signs in by an access token with an origin, and counts what it spends.
type tokensOnly struct {
	SignIn
	spent atomic.Int32
}

func (s *tokensOnly) Bearer(context.Context, string) (account.Actor, error) {
	return account.Actor{Permissions: account.All(), Token: &account.Token{Origins: []string{"https://a.example"}}}, nil
}

func (s *tokensOnly) Spend(context.Context, account.Actor) (signin.Quota, error) {
	s.spent.Add(1)
	return signin.Quota{PerMinute: 2, Remaining: 1}, nil
}

// The attempts of a stream that waits are one request.
func TestSpendingOnce_CountsAHeldStreamOnce(t *testing.T) {
	t.Parallel()
	signIn := &tokensOnly{}
	gate, attempts := NewGate(signIn, "http://hub.example"), 0
	stream := func(*http.Request) bool { return true }
	server := httptest.NewServer(spendingOnce(stream, sse.Hold(stream, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if _, err := gate.Admit(w, r); err != nil {
				t.Error(err)
			}
			if attempts++; attempts < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", bearer.Authorization("ict_"))
	request.Header.Set("Origin", "https://a.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if attempts != 3 || signIn.spent.Load() != 1 || response.Header.Get("RateLimit") == "" {
		t.Errorf("%d attempts spent %d, with the headers %v", attempts, signIn.spent.Load(), response.Header)
	}
}

// No browser sends two origins.
func TestGate_ARepeatedOriginIsNotAllowed(t *testing.T) {
	t.Parallel()
	gate := NewGate(&tokensOnly{}, "http://hub.example")
	handler := crossOrigin("", func(string) bool { return true }, http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if _, err := gate.Admit(w, r); err != nil {
				w.WriteHeader(http.StatusForbidden)
			}
		}))
	for want, origins := range map[int][]string{
		http.StatusOK:        {"https://a.example"},
		http.StatusForbidden: {"https://a.example", "https://b.example"},
	} {
		request := httptest.NewRequest(http.MethodGet, "/api/v1/items", nil)
		request.Header["Origin"] = origins
		request.Header.Set("Authorization", bearer.Authorization("ict_"))
		got := httptest.NewRecorder()
		handler.ServeHTTP(got, request)
		allowed := got.Header().Values("Access-Control-Allow-Origin")
		if got.Code != want || (want == http.StatusOK) != (len(allowed) == 1) {
			t.Errorf("%q: %d, allowed %q", origins, got.Code, allowed)
		}
	}
}
