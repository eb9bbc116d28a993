package nodetest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node"
)

// ProxiedPath is the path of a proxied node's public URL.
const ProxiedPath = "/hub"

// StartProxied starts a node behind a reverse proxy, which serves it below a path. The proxy removes the path from
// requests if strips is set, and does not pass on the header Host. The node's URL is the proxy's. A request for an
// address outside the path fails the test.
func StartProxied(t testing.TB, strips bool) *Node {
	t.Helper()
	inner, outer := httptest.NewUnstartedServer(nil), httptest.NewUnstartedServer(nil)
	n := build(t, dbtest.New(t), "http://"+outer.Listener.Addr().String()+ProxiedPath, node.Config{StorageURL: folder(t)})
	n.start(inner)
	target := &url.URL{Scheme: "http", Host: inner.Listener.Addr().String()}
	proxy := http.Handler(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	if strips {
		proxy = http.StripPrefix(ProxiedPath, proxy)
	}
	outer.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != ProxiedPath && !strings.HasPrefix(r.URL.Path, ProxiedPath+"/") {
			if r.URL.Path != "/favicon.ico" { // which browsers ask for by themselves
				t.Errorf("%s %s is outside %s", r.Method, r.URL, ProxiedPath)
			}
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	})
	outer.Start()
	t.Cleanup(func() { outer.CloseClientConnections(); outer.Close() })
	return n
}
