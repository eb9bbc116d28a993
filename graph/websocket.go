package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
)

const (
	// writeWait is how long a peer may leave a message unread before the connection is given up: gqlgen's stock adapter waits for ever,
	// and pins its goroutines with it.
	writeWait = 15 * time.Second
	closeWait = 2 * time.Second

	// initWait is how long a client has to send connection_init.
	initWait = 10 * time.Second

	subprotocol = "graphql-transport-ws"
)

// Close codes of the protocol (enisdenjo/graphql-ws, PROTOCOL.md), and of RFC 6455's registry.
const (
	closeGoingAway     = 1001
	closeTryAgainLater = 1013
	closeBadRequest    = 4400
	closeUnauthorized  = 4401
	closeForbidden     = 4403
	closeSubprotocol   = 4406
	closeInitTimeout   = 4408
	closeDuplicate     = 4409
	closeTooManyInits  = 4429
)

// wsImplementation runs gqlgen's WebSocket transport on coder/websocket, with deadlines on every write and only the current protocol.
type wsImplementation struct{}

var _ transport.WebsocketImplementation = wsImplementation{}

// Accept refuses other origins than the server's own when a browser names one (coder/websocket's default).
func (wsImplementation) Accept(w http.ResponseWriter, r *http.Request, _ transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	c := &wsConn{conn: conn, ctx: ctx, cancel: cancel, names: names{ours: map[string]string{}, theirs: map[string]string{}}}
	sessionFrom(r.Context()).conn = c
	c.mu.Lock()
	c.awaitInit = time.AfterFunc(initWait, func() { _ = c.WriteClose(closeInitTimeout, "Connection initialisation timeout") })
	c.mu.Unlock()
	if conn.Subprotocol() != subprotocol {
		_ = c.WriteClose(closeSubprotocol, "Subprotocol not acceptable") // gqlgen finds the connection closed
	}
	return c, nil
}

type wsConn struct {
	conn   *websocket.Conn
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc

	awaitInit   *time.Timer
	initialised bool // by the reader
	names       names

	mu       sync.Mutex
	deadline *time.Timer
	closing  bool
}

func (c *wsConn) NextReader() (messageType int, r io.Reader, err error) {
	for {
		kind, data, err := c.conn.Read(c.ctx)
		switch websocket.CloseStatus(err) {
		case websocket.StatusNormalClosure, websocket.StatusNoStatusRcvd, websocket.StatusGoingAway:
			return int(kind), nil, transport.ErrWebsocketClosed
		}
		if err != nil {
			return int(kind), nil, err
		}
		switch data, err = c.receive(data); {
		case err != nil:
			return int(kind), nil, err
		case data != nil:
			return int(kind), bytes.NewReader(data), nil
		}
	}
}

// WriteJSON writes one message; when the peer does not take it in time, the connection ends. What belongs to no running operation is
// dropped: the protocol ends one with a single error or complete, and sends nothing after the client's complete.
func (c *wsConn) WriteJSON(v any) error {
	if !c.names.toClient(v) {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.write(data)
}

func (c *wsConn) write(data []byte) error {
	ctx, cancel := context.WithTimeout(c.ctx, writeWait)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, data)
}

// WriteClose says goodbye and does not wait for the peer's.
func (c *wsConn) WriteClose(code int, reason string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil
	}
	c.closing = true
	c.awaitInit.Stop()
	if code == transport.WebsocketCloseNormalClosure { // gqlgen's, when the server ends: clients are to come again
		code, reason = closeGoingAway, "Going away"
	}
	go func() {
		stop := time.AfterFunc(closeWait, func() { _ = c.conn.CloseNow() })
		defer stop.Stop()
		_ = c.conn.Close(websocket.StatusCode(code), reason)
		c.cancel()
	}()
	return nil
}

func (c *wsConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.awaitInit.Stop()
	if c.deadline != nil {
		c.deadline.Stop()
	}
	if c.closing {
		return nil // WriteClose's goodbye is on its way and ends the connection
	}
	c.cancel()
	return c.conn.CloseNow()
}

func (c *wsConn) Subprotocol() string { return c.conn.Subprotocol() }

func (c *wsConn) SetReadLimit(limit int64) { c.conn.SetReadLimit(limit) }

// SetReadDeadline ends the connection at t unless it is set anew; the zero time sets none.
func (c *wsConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deadline != nil {
		c.deadline.Stop()
		c.deadline = nil
	}
	if !t.IsZero() {
		c.deadline = time.AfterFunc(time.Until(t), func() { _ = c.conn.CloseNow() })
	}
	return nil
}
