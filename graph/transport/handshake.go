package transport

import (
	"net/http"
	"strings"

	"itemcast/internal/problem"
)

// LacksUpgrade reports whether a request is the handshake of a WebSocket that a proxy has broken: the headers Upgrade
// and Connection are for one hop only (RFC 9110 §7.6.1), so a proxy drops them unless it is told to pass them on. It
// passes on the others, of which only a handshake has Sec-WebSocket-Key.
func LacksUpgrade(r *http.Request) bool {
	if r.Header["Sec-Websocket-Key"] == nil && r.Header["Sec-Websocket-Protocol"] == nil {
		return false
	}
	return !names(r.Header["Upgrade"], "websocket") || !names(r.Header["Connection"], "upgrade") || !r.ProtoAtLeast(1, 1)
}

// names reports whether a list of tokens has one.
func names(header []string, token string) bool {
	for _, value := range header {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// RefuseLostUpgrade answers a handshake without its Upgrade, and says how to configure the proxy.
func RefuseLostUpgrade(w http.ResponseWriter, r *http.Request) {
	text := "A proxy has dropped the headers Upgrade and Connection of this WebSocket handshake. " +
		"In nginx, add 'proxy_set_header Upgrade $http_upgrade;' and 'proxy_set_header Connection upgrade;'"
	if !r.ProtoAtLeast(1, 1) { // as nginx before 1.29.7 does unless it is told otherwise
		text += ", and 'proxy_http_version 1.1;'"
	}
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Cache-Control", "no-store")
	refuse(w, plainJSON, problem.New(problem.UpgradeRequired, "%s (docs/operating.md).", text))
}
