package graph_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"itemcast/internal/node/nodetest"
)

// A proxy drops the headers of a hop unless it is told to pass them on. Clients only say that the handshake failed, so
// the answer, which a browser's tools show, says what to configure.
func TestHandshake_ThatLostItsUpgradeSaysWhatTheProxyNeeds(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for name, c := range map[string]struct {
		lost  []string
		lines []string
	}{
		"both":       {[]string{"Upgrade", "Connection"}, []string{"proxy_set_header Upgrade $http_upgrade;", "proxy_set_header Connection upgrade;"}},
		"connection": {[]string{"Connection"}, []string{"proxy_set_header Connection upgrade;"}},
		"upgrade":    {[]string{"Upgrade"}, []string{"proxy_set_header Upgrade $http_upgrade;"}},
	} {
		header := []string{
			"Upgrade", "websocket", "Connection", "Upgrade", "Sec-WebSocket-Version", "13",
			"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol", "graphql-transport-ws",
		}
		for _, lost := range c.lost {
			header = append(header, lost, "")
		}
		got := n.Call(http.MethodGet, "/graphql", "", header...)
		if _, codes := got.GraphQL(t); got.Status != http.StatusUpgradeRequired || codes[0] != "UPGRADE_REQUIRED" ||
			got.Header.Get("Upgrade") != "websocket" {
			t.Errorf("%s: %d %v %s", name, got.Status, got.Header, got.Body)
		}
		for _, line := range c.lines {
			if !strings.Contains(string(got.Body), line) {
				t.Errorf("%s: no %q in %s", name, line, got.Body)
			}
		}
	}
}

// nginx speaks HTTP/1.0 with a server unless it is told otherwise.
func TestHandshake_OverHTTP10NamesTheVersion(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /graphql HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 4096)
	read, err := conn.Read(text)
	if got := string(text[:read]); err != nil || !strings.Contains(got, " 426 ") ||
		!strings.Contains(got, "proxy_http_version 1.1;") {
		t.Errorf("%v: %s", err, got)
	}
}

func TestHandshake_PassesAProxyThatUpgrades(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	at, err := url.Parse(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(at))
	t.Cleanup(proxy.Close)
	conn, _, err := websocket.Dial(t.Context(), proxy.URL+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseNow()
}
