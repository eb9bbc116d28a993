package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/server"
)

func TestOps_MetricsIncludeHooks(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	page := httptest.NewRecorder()
	server.Ops(n.Pool, n.Media.Check, func() int64 { return 0 }, n.Dispatcher, n.Media).ServeHTTP(page,
		httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, name := range []string{`itemcast_hook_attempts_total{outcome="succeeded"} 0`, "itemcast_hook_backlog 0",
		"itemcast_feed_position 0", "itemcast_storage_up 1"} {
		if !strings.Contains(page.Body.String(), name+"\n") {
			t.Errorf("there is no %s", name)
		}
	}
}

// All nodes share the storage: if they were not ready without it, nothing would answer.
func TestOps_ANodeIsReadyWithoutItsStorageAndSaysSo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for want, storage := range map[string]func(context.Context) error{
		"ok\n": n.Media.Check,
		"ok, but the storage for files does not answer\n": func(context.Context) error { return errors.New("away") },
	} {
		page := httptest.NewRecorder()
		server.Ops(n.Pool, storage, func() int64 { return 0 }).ServeHTTP(page,
			httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if page.Code != http.StatusOK || page.Body.String() != want {
			t.Errorf("got %d %q, want %q", page.Code, page.Body, want)
		}
	}
}
