package server_test

import (
	"context"
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
	server.Ops(n.Pool, noFaults, func() int64 { return 0 }, n.Dispatcher, n.Media).ServeHTTP(page,
		httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, name := range []string{`itemcast_hook_attempts_total{outcome="succeeded"} 0`, "itemcast_hook_backlog 0",
		"itemcast_feed_position 0", "itemcast_storage_up 1"} {
		if !strings.Contains(page.Body.String(), name+"\n") {
			t.Errorf("there is no %s", name)
		}
	}
}

func noFaults(context.Context) []string { return nil }

// All nodes share the storage: if they were not ready without it, nothing would answer.
func TestOps_ANodeIsReadyWithoutItsStorageOrFFmpegAndSaysSo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for want, faults := range map[string][]string{
		"ok\n": nil,
		"ok, but the storage for files does not answer\n":                              {"the storage for files does not answer"},
		"ok, but the storage for files does not answer, but media are not processed\n": {"the storage for files does not answer", "media are not processed"},
	} {
		page := httptest.NewRecorder()
		server.Ops(n.Pool, func(context.Context) []string { return faults }, nil).ServeHTTP(page,
			httptest.NewRequest(http.MethodGet, "/readyz", nil))
		if page.Code != http.StatusOK || page.Body.String() != want {
			t.Errorf("got %d %q, want %q", page.Code, page.Body, want)
		}
	}
}
