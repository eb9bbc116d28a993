package transport

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

const (
	// initTimeout is how long a client has to send connection_init.
	initTimeout = 10 * time.Second

	// maxInit limits messages before the client is authenticated, in bytes.
	maxInit = 16 << 10

	// pingInterval is the time between pings. A client that has sent nothing since the last ping is gone.
	pingInterval = 20 * time.Second

	// closeTimeout is how long a client has to answer the close frame.
	closeTimeout = 2 * time.Second

	// drainTimeout bounds how long a draining connection waits for outstanding responses.
	drainTimeout = 5 * time.Second
)

// socket is one connection.
type socket struct {
	server      *Server
	exec        graphql.GraphExecutor
	frames      *frameConn
	conn        *websocket.Conn
	credentials *http.Request   // the handshake's, unless connection_init has its own
	ctx         context.Context // carries the actor after connection_init; the reader writes it, under mu
	cancel      context.CancelFunc

	initialised bool        // belongs to the reader
	received    atomic.Bool // anything since the last ping

	mu       sync.Mutex
	timer    *time.Timer // the deadline of connection_init, then of pings
	cleanups []func()    // to run at the end of the connection
	running  map[string]*operation
	closing  bool
}

// read takes messages until the connection ends.
func (s *socket) read() {
	defer s.end()
	for {
		s.frames.awaitInput()
		// The connection's end ends Read. A context would cost another goroutine.
		kind, data, err := s.conn.Read(context.Background())
		if err != nil {
			return
		}
		s.received.Store(true)
		switch {
		case s.isClosing(): // discard what arrives before the client's close frame
		case kind != websocket.MessageText:
			s.close(closeBadRequest, "Invalid message received")
		default:
			s.receive(data)
		}
	}
}

// end releases all that the connection holds.
func (s *socket) end() {
	s.mu.Lock()
	s.closing = true
	s.timer.Stop()
	cleanups := s.cleanups
	s.cleanups = nil
	s.mu.Unlock()
	s.cancel()
	for _, cleanup := range cleanups {
		cleanup()
	}
	_ = s.conn.CloseNow()
	s.server.sockets.remove(s)
}

// onEnd runs a cleanup when the connection ends, or now if it has ended.
func (s *socket) onEnd(cleanup func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		go cleanup()
		return
	}
	s.cleanups = append(s.cleanups, cleanup)
}

// close ends all operations and sends the close frame, once. The client has closeTimeout to answer it.
func (s *socket) close(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing = true
	s.timer.Stop()
	s.cancel()
	s.timer = time.AfterFunc(closeTimeout, func() { _ = s.conn.CloseNow() })
	go s.frames.writeClose(code, reason) // another write may be waiting for the client to read
}

func (s *socket) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// authenticate answers connection_init. Before it, a client cannot even have a query parsed.
func (s *socket) authenticate(payload map[string]any) {
	for _, name := range []string{"Authorization", "authorization"} {
		if given, ok := payload[name].(string); ok && given != "" {
			s.credentials.Header["Authorization"] = []string{given}
			delete(s.credentials.Header, "Cookie")
		}
	}
	actor, err := s.signIn()
	s.credentials = nil
	if err == nil {
		var release func()
		if release, err = s.server.Hub.Admit(actor); err == nil {
			s.onEnd(release)
		}
	}
	switch {
	case err != nil && problem.IsTemporary(err): // clients retry after this code
		s.close(closeTryAgainLater, "Try again later")
		return
	case err != nil:
		s.refuse(err)
		return
	}
	s.mu.Lock()
	s.ctx = account.WithActor(s.ctx, actor)
	s.mu.Unlock()
	s.conn.SetReadLimit(maxBody)
	s.onEnd(s.server.Watch(actor, s.permissionsChanged))
	s.write([]byte(`{"type":"connection_ack"}`))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.received.Store(true)
		s.timer = time.AfterFunc(pingInterval, s.ping)
	}
}

func (s *socket) signIn() (account.Actor, error) {
	ctx, err := s.server.SignIn(s.ctx, s.credentials)
	if err != nil {
		return account.Actor{}, err
	}
	actor, err := account.Authorize(ctx)
	if err != nil {
		return account.Actor{}, err
	}
	return actor, s.server.Spend(ctx)
}

// refuse ends the connection of a client that may not use the API.
func (s *socket) refuse(err error) {
	reason := "Unauthorized"
	switch {
	case problem.Is(err, problem.Forbidden):
		reason = "Forbidden"
	case problem.Is(err, problem.OriginNotAllowed):
		reason = "Origin not allowed"
	}
	s.close(closeUnauthorized, reason)
}

// permissionsChanged ends the connection. A client that still has access reconnects and resumes from its cursor.
func (s *socket) permissionsChanged(err error) {
	if err != nil {
		s.refuse(err)
		return
	}
	s.close(closeGoingAway, "Permissions have changed")
}

// ping disconnects a client that is gone, within two intervals. A write that is in progress has its own deadline.
func (s *socket) ping() {
	switch {
	case s.frames.isWriting():
	case !s.received.Swap(false):
		_ = s.conn.CloseNow()
		return
	default:
		s.write([]byte(`{"type":"ping"}`))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.timer.Reset(pingInterval)
	}
}

// drain closes the connection after the queries and mutations that run on it have been answered.
func (s *socket) drain() {
	s.mu.Lock()
	unanswered := slices.Collect(maps.Values(s.running))
	ctx, cancel := context.WithTimeout(s.ctx, drainTimeout)
	s.mu.Unlock()
	defer cancel()
	for _, op := range unanswered {
		select {
		case <-op.answered:
		case <-ctx.Done():
		}
	}
	s.close(closeGoingAway, "Going away")
}

// write sends a message that belongs to no operation.
func (s *socket) write(message []byte) { s.writeMessages(always, [3][]byte{message}) }

func always() bool { return true }

// writeMessages sends messages, and ends the connection when the client does not read them in time.
func (s *socket) writeMessages(wanted func() bool, messages ...[3][]byte) {
	if s.frames.writeMessages(wanted, messages...) != nil {
		_ = s.conn.CloseNow()
	}
}
