package sse

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func always(*http.Request) bool { return true }

// attempts answers each attempt of a request with another handler; the last answers all that follow.
func attempts(handlers ...http.HandlerFunc) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		handler := handlers[min(n, len(handlers)-1)]
		n++
		handler(w, r)
	}
}

func refuse(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "{\n\"code\":\"A\"}")
	}
}

func begin(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	out := Begin(w)
	out.Event("", "", append([]byte("begun "), body...))
	_ = out.Flush()
}

// send sends a request through a real connection.
func send(t *testing.T, limit time.Duration, method, body string, next http.Handler) (*http.Response, string) {
	t.Helper()
	server := httptest.NewServer(holdFor(limit, always, next))
	t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestHold_TriesAgainUntilTheStreamBegins(t *testing.T) {
	t.Parallel()
	partly := func(w http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 2))
		refuse(http.StatusServiceUnavailable)(w, r)
	}
	for method, body := range map[string]string{http.MethodGet: "", http.MethodPost: "body"} {
		response, text := send(t, time.Minute, method, body, attempts(partly, refuse(http.StatusTooManyRequests), begin))
		if response.StatusCode != http.StatusOK || text != "data: begun "+body+"\n\n" ||
			response.Header.Get("Content-Type") != ContentType || response.Header.Get("Retry-After") != "" {
			t.Errorf("%s: %d %q %v", method, response.StatusCode, text, response.Header)
		}
	}
}

func TestHold_PassesOnWhatRetryingCannotMend(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNoContent, http.StatusBadRequest, http.StatusUnauthorized, http.StatusGone} {
		response, _ := send(t, time.Minute, http.MethodGet, "", attempts(refuse(status), begin))
		if response.StatusCode != status {
			t.Errorf("got %d, want %d", response.StatusCode, status)
		}
	}
	h := holdFor(time.Minute, func(*http.Request) bool { return false }, attempts(refuse(http.StatusServiceUnavailable), begin))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("a request that wants no stream gets %d", w.Code)
	}
}

func TestHold_AtTheEndAGetReconnectsAndAPostGetsTheRefusal(t *testing.T) {
	t.Parallel()
	const limit = 10 * time.Millisecond
	response, text := send(t, limit, http.MethodGet, "", refuse(http.StatusServiceUnavailable))
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != ContentType ||
		!strings.HasPrefix(text, "retry: ") || !strings.HasSuffix(text, "\n\n: {\"code\":\"A\"}\n\n") {
		t.Errorf("%d %v %q", response.StatusCode, response.Header, text)
	}
	response, text = send(t, limit, http.MethodPost, "body", refuse(http.StatusServiceUnavailable))
	if response.StatusCode != http.StatusServiceUnavailable || text != "{\n\"code\":\"A\"}" {
		t.Errorf("%d %v %q", response.StatusCode, response.Header, text)
	}
}

// An attempt may itself wait, such as for a connection to the database.
func TestHold_EndsAnAttemptThatWaitsTooLong(t *testing.T) {
	t.Parallel()
	waits := func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		if errors.Is(context.Cause(r.Context()), context.Canceled) {
			t.Error("the attempt ends as if the client had gone")
		}
		refuse(http.StatusServiceUnavailable)(w, r)
	}
	response, _ := send(t, 10*time.Millisecond, http.MethodGet, "", http.HandlerFunc(waits))
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %d", response.StatusCode)
	}
}

// The limit is for the beginning: a stream lasts.
func TestHold_AStreamThatHasBegunHasNoLimit(t *testing.T) {
	t.Parallel()
	const limit = 50 * time.Millisecond
	streams := func(w http.ResponseWriter, r *http.Request) {
		begin(w, r)
		select {
		case <-r.Context().Done():
			t.Error("the stream was ended")
		case <-time.After(2 * limit):
		}
	}
	if _, text := send(t, limit, http.MethodGet, "", http.HandlerFunc(streams)); text != "data: begun \n\n" {
		t.Errorf("got %q", text)
	}
}
