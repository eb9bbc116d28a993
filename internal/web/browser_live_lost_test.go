package web_test

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

// A proxy between the browser and the server drops the connection, and something changes meanwhile.
func TestBrowser_ThePageOfChangesResumesAfterALostConnectionAndSaysSo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	target, err := url.Parse(n.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	p := browsertest.Open(t, front.URL).As(nodetest.AdminEmail, nodetest.AdminPassword, "en")
	p.Go("/live")
	p.WaitText("#connection", "Connected: changes appear")
	front.CloseClientConnections()
	p.WaitText("#connection", "The connection is lost")
	n.CreateItem(`{"name":"While away"}`)
	p.WaitText("#connection", "Connected again")
	p.WaitText("#live tbody tr", "While away")
}
