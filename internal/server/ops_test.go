package server_test

import (
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
	server.Ops(n.Pool, func() int64 { return 0 }, n.Dispatcher).ServeHTTP(page,
		httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, name := range []string{`itemcast_hook_attempts_total{outcome="succeeded"} 0`, "itemcast_hook_backlog 0",
		"itemcast_feed_position 0"} {
		if !strings.Contains(page.Body.String(), name+"\n") {
			t.Errorf("there is no %s", name)
		}
	}
}
