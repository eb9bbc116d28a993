package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"itemcast/internal/account/signin"
)

func TestGate_WithHTTPSTheCookieBelongsToThisHostOnly(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	NewGate(nil, "https://items.example").setCookie(w, signin.NewSession{Token: "T", Expires: time.Now().Add(time.Hour)})
	cookie := w.Header().Get("Set-Cookie")
	for _, want := range []string{"__Host-itemcast_session=T;", "Path=/;", "HttpOnly", "Secure", "SameSite=Lax"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("no %s in %s", want, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") {
		t.Errorf("a domain: %s", cookie)
	}
	header := http.Header{"Cookie": {"itemcast_session=planted; __Host-itemcast_session=T"}}
	if got := NewGate(nil, "https://items.example").token(header); got != "T" {
		t.Errorf("the token is %q", got)
	}
}

func TestAddress_OnlyTrustedProxiesMayForwardAddresses(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for _, c := range []struct {
		peer, forwarded string
		trusted         []netip.Prefix
		want            string
	}{
		{"203.0.113.7:1", "198.51.100.1", nil, "203.0.113.7"},
		{"203.0.113.7:1", "198.51.100.1", trusted, "203.0.113.7"},
		{"10.1.1.1:1", "198.51.100.1", trusted, "198.51.100.1"},
		{"10.1.1.1:1", "6.6.6.6, 198.51.100.1", trusted, "198.51.100.1"}, // the client itself wrote the first
		{"10.1.1.1:1", "198.51.100.1, 10.2.2.2", trusted, "198.51.100.1"},
		{"[2001:db8::1]:1", "198.51.100.1", trusted, "198.51.100.1"},
		{"10.1.1.1:1", "", trusted, "10.1.1.1"},
		{"10.1.1.1:1", "198.51.100.1, nonsense", trusted, "10.1.1.1"},
		{"[::ffff:10.1.1.1]:1", "198.51.100.1", trusted, "198.51.100.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := clientAddress(r, c.trusted); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}
