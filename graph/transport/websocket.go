package transport

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"itemcast/internal/account"
	"itemcast/internal/publicurl"
)

const subprotocol = "graphql-transport-ws"

// Close codes of the protocol (enisdenjo/graphql-ws, PROTOCOL.md) and of the WebSocket Close Code Number Registry (RFC
// 6455 §11.7). graphql-ws reconnects after 1001 and 1013. The protocol recommends 4403 for refused credentials, but
// graphql-ws tries again after that code, and takes 4401 as final.
const (
	closeGoingAway     websocket.StatusCode = 1001
	closeTryAgainLater websocket.StatusCode = 1013
	closeBadRequest    websocket.StatusCode = 4400
	closeUnauthorized  websocket.StatusCode = 4401
	closeSubprotocol   websocket.StatusCode = 4406
	closeInitTimeout   websocket.StatusCode = 4408
	closeDuplicate     websocket.StatusCode = 4409
	closeTooManyInits  websocket.StatusCode = 4429
)

// webSocket is the transport of the protocol graphql-transport-ws.
type webSocket struct{ *Server }

var _ graphql.Transport = webSocket{}

func (webSocket) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// Do accepts a connection. It then lives on goroutines of its own, because what net/http holds for a request would be
// most of an idle connection's memory. If a browser names an origin, it must be the server's own, or one that an access
// token names.
func (t webSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	s := &socket{
		server: t.Server, exec: exec, frames: &frameConn{}, credentials: credentialsOf(r),
		running: map[string]*operation{},
	}
	options := &websocket.AcceptOptions{Subprotocols: []string{subprotocol}}
	if !t.isOwnPage(r) && t.AllowsOrigin(r.Header.Get("Origin")) {
		options.InsecureSkipVerify = true // we have verified the origin; Accept refuses all others but our own
		delete(s.credentials.Header, "Cookie")
	} else if own := publicurl.Origin(t.PublicURL); own != "" {
		options.OriginPatterns = []string{own} // a proxy in front of us may not forward the Host header
	}
	var err error
	if s.conn, err = websocket.Accept(&hijacker{w, s.frames}, r, options); err != nil {
		return // Accept has answered
	}
	s.conn.SetReadLimit(maxInit)
	s.ctx, s.cancel = context.WithCancel(account.WithAddress(context.Background(), account.AddressFrom(r.Context())))
	s.mu.Lock()
	s.timer = time.AfterFunc(initTimeout, func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	s.mu.Unlock()
	switch {
	case s.conn.Subprotocol() != subprotocol:
		s.close(closeSubprotocol, "Subprotocol not acceptable")
	case !t.sockets.add(s):
		s.close(closeGoingAway, "Going away")
	}
	go s.read()
}

// isOwnPage reports whether a handshake comes from a page of this server, or from no page.
func (t webSocket) isOwnPage(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	u, err := url.Parse(origin)
	return origin == "" || origin == publicurl.Origin(t.PublicURL) || err == nil && strings.EqualFold(u.Host, r.Host)
}

// credentialsOf returns the part of a handshake that authenticates it.
func credentialsOf(r *http.Request) *http.Request {
	credentials := &http.Request{Host: r.Host, Header: http.Header{}}
	for _, name := range []string{"Authorization", "Cookie", "Origin", "Sec-Fetch-Site"} {
		if values := r.Header[name]; values != nil {
			credentials.Header[name] = values
		}
	}
	return credentials
}

// hijacker makes a WebSocket use a frameConn.
type hijacker struct {
	http.ResponseWriter
	frames *frameConn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.frames.Conn = conn
	ahead, err := buffered.Peek(buffered.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	h.frames.ahead = bytes.Clone(ahead) // sent by the client right after its handshake
	h.frames.in = bufio.NewReaderSize(h.frames, readBuffer)
	return h.frames, bufio.NewReadWriter(h.frames.in, bufio.NewWriterSize(h.frames, controlBuffer)), nil
}

// sockets are the open WebSockets of a server. Its methods may be called concurrently.
type sockets struct {
	mu       sync.Mutex
	open     map[*socket]struct{}
	draining bool
	drained  chan struct{} // closed when the last socket is gone
}

// add reports false once the server drains.
func (all *sockets) add(s *socket) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	if !all.draining {
		all.open[s] = struct{}{}
	}
	return !all.draining
}

func (all *sockets) remove(s *socket) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if _, counted := all.open[s]; !counted {
		return
	}
	delete(all.open, s)
	if all.draining && len(all.open) == 0 {
		close(all.drained)
	}
}

func (all *sockets) drain(ctx context.Context) error {
	all.mu.Lock()
	all.draining, all.drained = true, make(chan struct{})
	if len(all.open) == 0 {
		close(all.drained)
	}
	for s := range all.open {
		go s.drain()
	}
	all.mu.Unlock()
	select {
	case <-all.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
