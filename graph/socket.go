package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

const (
	// initWait is how long a client has to send connection_init.
	initWait = 10 * time.Second

	// maxInit is how large a message of a stranger may be, in bytes.
	maxInit = 16 << 10

	// pingEvery is how often a client is pinged. One that has not been heard of since the last ping is gone.
	pingEvery = 20 * time.Second

	closeWait = 2 * time.Second // for a client to answer the close frame

	subprotocol = "graphql-transport-ws"
)

// Close codes of the protocol (enisdenjo/graphql-ws, PROTOCOL.md), and of RFC 6455's registry.
const (
	closeGoingAway     websocket.StatusCode = 1001
	closeTryAgainLater websocket.StatusCode = 1013
	closeBadRequest    websocket.StatusCode = 4400
	closeUnauthorized  websocket.StatusCode = 4401
	closeForbidden     websocket.StatusCode = 4403
	closeSubprotocol   websocket.StatusCode = 4406
	closeInitTimeout   websocket.StatusCode = 4408
	closeDuplicate     websocket.StatusCode = 4409
	closeTooManyInits  websocket.StatusCode = 4429
)

// webSocket is the transport of the protocol graphql-transport-ws.
type webSocket struct{ *Handler }

var _ graphql.Transport = webSocket{}

func (webSocket) Supports(r *http.Request) bool { return r.Header.Get("Upgrade") != "" }

// Do accepts a connection, which from then on lives on goroutines of its own: net/http's, and all that it holds for a request, would be most
// of its weight. Another origin than the server's own is refused when a browser names one.
func (t webSocket) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	s := &socket{handler: t.Handler, exec: exec, line: &line{}, credentials: credentialsOf(r.Header), running: map[string]*operation{}}
	options := &websocket.AcceptOptions{Subprotocols: []string{subprotocol}}
	if u, err := url.Parse(t.config.PublicURL); err == nil && u.Host != "" {
		options.OriginPatterns = []string{u.Scheme + "://" + u.Host} // a proxy before us may not pass on the Host
	}
	var err error
	if s.conn, err = websocket.Accept(&hijacker{w, s.line}, r, options); err != nil {
		return // Accept has answered
	}
	s.conn.SetReadLimit(maxInit)
	s.ctx, s.cancel = context.WithCancel(account.WithAddress(context.Background(), account.AddressFrom(r.Context())))
	s.mu.Lock()
	s.timer = time.AfterFunc(initWait, func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	s.mu.Unlock()
	switch {
	case s.conn.Subprotocol() != subprotocol:
		s.close(closeSubprotocol, "Subprotocol not acceptable")
	case !t.sockets.add(s):
		s.close(closeGoingAway, "Going away")
	}
	go s.read()
}

// credentialsOf is what of a handshake says who it is.
func credentialsOf(header http.Header) http.Header {
	credentials := http.Header{}
	for _, name := range []string{"Authorization", "Cookie"} {
		if values := header[name]; values != nil {
			credentials[name] = values
		}
	}
	return credentials
}

// socket is one connection.
type socket struct {
	handler     *Handler
	exec        graphql.GraphExecutor
	line        *line
	conn        *websocket.Conn
	credentials http.Header     // the handshake's, unless connection_init brings its own
	ctx         context.Context // says who acts, from connection_init on
	cancel      context.CancelFunc

	initialised bool        // by the reader
	heard       atomic.Bool // since the last ping

	mu      sync.Mutex
	timer   *time.Timer // of connection_init's deadline, and then of pings
	undo    []func()    // when the connection ends
	running map[string]*operation
	closing bool
}

// read takes messages until the connection ends, by whomever.
func (s *socket) read() {
	defer s.end()
	for {
		s.line.await()
		kind, data, err := s.conn.Read(context.Background()) // it ends with the connection; a context would cost another goroutine
		if err != nil {
			return
		}
		s.heard.Store(true)
		switch {
		case s.isClosing(): // what comes before the peer's goodbye is nobody's any more
		case kind != websocket.MessageText:
			s.close(closeBadRequest, "Invalid message received")
		default:
			s.receive(data)
		}
	}
}

// end frees all that the connection held.
func (s *socket) end() {
	s.mu.Lock()
	s.closing = true
	s.timer.Stop()
	undo := s.undo
	s.undo = nil
	s.mu.Unlock()
	s.cancel()
	for _, one := range undo {
		one()
	}
	_ = s.conn.CloseNow()
	s.handler.sockets.remove(s)
}

// whenEnded has something undone with the connection, or now, if that has ended.
func (s *socket) whenEnded(undo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		go undo()
		return
	}
	s.undo = append(s.undo, undo)
}

// close says goodbye, once, and gives the peer a moment to answer it. Operations end at once.
func (s *socket) close(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing = true
	s.timer.Stop()
	s.cancel()
	s.timer = time.AfterFunc(closeWait, func() { _ = s.conn.CloseNow() })
	go s.line.writeClose(code, reason) // somebody may be writing to a peer that does not read
}

func (s *socket) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// begin answers connection_init. Nobody gets further without credentials, not even to have a query parsed.
func (s *socket) begin(payload map[string]any) {
	for _, name := range []string{"Authorization", "authorization"} {
		if given, ok := payload[name].(string); ok && given != "" {
			s.credentials = http.Header{"Authorization": {given}}
		}
	}
	actor, err := s.signIn()
	s.credentials = nil
	if err == nil {
		var leave func()
		if leave, err = s.handler.hub.Admit(actor); err == nil {
			s.whenEnded(leave)
		}
	}
	switch {
	case err != nil && problem.MayPass(err): // clients come again, with their cursor
		s.close(closeTryAgainLater, "Try again later")
		return
	case err != nil:
		s.close(closeForbidden, "Forbidden")
		return
	}
	s.ctx = account.WithActor(s.ctx, actor)
	s.conn.SetReadLimit(maxBody)
	s.whenEnded(s.handler.config.Watch(actor, s.changed))
	s.write([]byte(`{"type":"connection_ack"}`))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.heard.Store(true)
		s.timer = time.AfterFunc(pingEvery, s.ping)
	}
}

func (s *socket) signIn() (account.Actor, error) {
	ctx, err := s.handler.config.SignIn(s.ctx, s.credentials)
	if err != nil {
		return account.Actor{}, err
	}
	return account.Authorize(ctx)
}

// changed ends the connection: permissions are those of now. Who may still use it connects again, and resumes by cursor.
func (s *socket) changed(err error) {
	if err != nil {
		s.close(closeForbidden, "Forbidden")
		return
	}
	s.close(closeGoingAway, "Permissions have changed")
}

// ping notices a peer that is gone within two intervals. While something is being written, that has its deadline.
func (s *socket) ping() {
	switch {
	case s.line.busy():
	case !s.heard.Swap(false):
		_ = s.conn.CloseNow()
		return
	default:
		s.write([]byte(`{"type":"ping"}`))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.timer.Reset(pingEvery)
	}
}

// write sends a message that belongs to no operation.
func (s *socket) write(message []byte) { s.writeMessages(always, [3][]byte{message}) }

func always() bool { return true }

// writeMessages ends the connection when the peer does not take the messages in time.
func (s *socket) writeMessages(wanted func() bool, messages ...[3][]byte) {
	if s.line.writeMessages(wanted, messages...) != nil {
		_ = s.conn.CloseNow()
	}
}

// sockets are the connections of a node.
type sockets struct {
	mu       sync.Mutex
	open     map[*socket]struct{}
	draining bool
	drained  chan struct{} // closed when the last has gone
}

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

// Drain accepts no more WebSockets and tells the clients of those that there are to connect again; what was asked once is answered first. It
// returns when all have gone, or with ctx's error.
func (h *Handler) Drain(ctx context.Context) error {
	all := &h.sockets
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

// Sockets is how many WebSockets are open.
func (h *Handler) Sockets() int {
	h.sockets.mu.Lock()
	defer h.sockets.mu.Unlock()
	return len(h.sockets.open)
}

func decodePayload(raw json.RawMessage) (object map[string]any, ok bool) {
	if len(raw) == 0 || strings.TrimSpace(string(raw)) == "null" {
		return nil, true
	}
	return object, json.Unmarshal(raw, &object) == nil
}
