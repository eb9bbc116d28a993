package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/live"
	"itemcast/internal/problem"
)

const (
	// maxOperations is how many operations may run on one connection at a time.
	maxOperations = 100

	// maxID is how long an operation's id may be, in bytes; each of its messages carries it.
	maxID = 256

	// drainWait is how long a connection that drains waits for the answers that it owes.
	drainWait = 5 * time.Second
)

// operation is what one subscribe message began.
type operation struct {
	id       string
	quoted   []byte // the id in JSON
	prefix   []byte // of its results
	ended    atomic.Bool
	cancel   context.CancelFunc
	answered chan struct{} // closed when it has been answered, or has turned out to be a subscription
}

// receive holds a client's message against the protocol, and does what it asks. A client that breaks the protocol is told so by the close
// code, and the connection ends.
func (s *socket) receive(data []byte) {
	var m struct {
		Type    string          `json:"type"`
		ID      string          `json:"id"`
		Payload json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(data, &m) != nil {
		s.close(closeBadRequest, "Invalid message received")
		return
	}
	payload, fits := decodePayload(m.Payload)
	switch {
	case m.Type == "connection_init" && s.initialised:
		s.close(closeTooManyInits, "Too many initialisation requests")
	case m.Type == "connection_init" && fits:
		s.initialised = true
		s.mu.Lock()
		s.timer.Stop()
		s.mu.Unlock()
		s.begin(payload)
	case m.Type == "ping" && fits:
		pong := []byte(`{"type":"pong"}`)
		if payload != nil {
			pong = fmt.Appendf(nil, `{"type":"pong","payload":%s}`, m.Payload)
		}
		s.write(pong)
	case m.Type == "pong":
	case m.Type == "complete":
		s.stop(m.ID)
	case m.Type == "subscribe" && !s.initialised:
		s.close(closeUnauthorized, "Unauthorized")
	case m.Type == "subscribe" && m.ID != "" && len(m.ID) <= maxID && payload != nil:
		s.start(m.ID, m.Payload)
	default:
		s.close(closeBadRequest, "Invalid message received")
	}
}

// start begins an operation. A subscription without a cursor is told of what comes after this moment, however long it takes to begin.
func (s *socket) start(id string, request []byte) {
	quoted, err := json.Marshal(id)
	if err != nil {
		s.close(closeBadRequest, "Invalid message received")
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	op := &operation{id: id, quoted: quoted, prefix: fmt.Appendf(nil, `{"id":%s,"type":"next","payload":`, quoted), cancel: cancel,
		answered: make(chan struct{})}
	s.mu.Lock()
	_, taken := s.running[id]
	full := len(s.running) >= maxOperations
	if !taken && !full {
		s.running[id] = op
	}
	s.mu.Unlock()
	switch {
	case taken:
		cancel()
		s.close(closeDuplicate, "Subscriber for the id already exists")
	case full:
		cancel()
		s.writeMessages(always, op.message("error", encodeErrors(s.handler.refusals(ctx, problem.New(problem.TooManyRequests,
			"%d operations run on this connection, as many as may; complete some, or open another connection.", maxOperations)))))
	default:
		go s.run(ctx, op, request, s.handler.hub.Present())
	}
}

// stop ends an operation that the client has completed. What of it has not been sent, is not.
func (s *socket) stop(id string) {
	s.mu.Lock()
	op := s.running[id]
	s.mu.Unlock()
	if op != nil {
		s.forget(op)
	}
}

// forget takes an operation off the connection; false: somebody else has.
func (s *socket) forget(op *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[op.id] != op {
		return false
	}
	delete(s.running, op.id)
	op.ended.Store(true)
	op.cancel()
	return true
}

// run executes an operation.
func (s *socket) run(ctx context.Context, op *operation, raw []byte, present string) {
	defer close(op.answered)
	defer func() {
		if cause := recover(); cause != nil {
			s.handler.config.Log.Error("an operation panicked", "cause", cause, "stack", string(debug.Stack()))
			s.fail(ctx, op, problem.New(problem.Internal, "Something went wrong on our side; it is logged."))
		}
	}()
	params, fault := decodeParams(raw)
	if fault != nil {
		s.fail(ctx, op, fault)
		return
	}
	ctx = graphql.StartOperationTrace(ctx)
	operation, faults := s.exec.CreateOperationContext(ctx, params)
	switch {
	case faults != nil:
		s.fail(ctx, op, faults)
	case operation.Operation.Operation == ast.Subscription:
		_, follower, err := s.handler.follow(ctx, s.exec, raw, operation, func(after string) string { return cmp.Or(after, present) })
		if err != nil {
			s.fail(ctx, op, err)
			return
		}
		go s.follow(ctx, op, follower) // elsewhere, because this stack has grown by gqlgen's needs
	default:
		responses, ctx := s.exec.DispatchOperation(ctx, operation)
		if response := responses(ctx); response != nil {
			s.send(op, live.Message{Body: encode(response)})
		}
		s.finish(op, "complete", nil)
	}
}

// follow sends a subscription's messages until it, or the connection, ends.
func (s *socket) follow(ctx context.Context, op *operation, follower *live.Follower) {
	defer follower.Close()
	for {
		messages, err := follower.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.fail(ctx, op, err)
			return
		}
		s.send(op, messages...)
	}
}

// fail ends an operation with an error; the connection goes on.
func (s *socket) fail(ctx context.Context, op *operation, err error) {
	if ctx.Err() == nil {
		s.finish(op, "error", encodeErrors(s.handler.refusals(ctx, err)))
	}
}

// finish sends an operation's last message, unless the client has completed it.
func (s *socket) finish(op *operation, kind string, payload []byte) {
	s.writeMessages(func() bool { return s.forget(op) }, op.message(kind, payload))
}

// send sends messages of an operation in one write, unless it has ended.
func (s *socket) send(op *operation, messages ...live.Message) {
	all := make([][3][]byte, len(messages))
	for i, m := range messages {
		all[i] = op.next(m.Body)
	}
	s.writeMessages(func() bool { return !op.ended.Load() }, all...)
}

// next is a message that carries a result.
func (op *operation) next(payload []byte) [3][]byte {
	return [3][]byte{op.prefix, payload, closingBrace}
}

var closingBrace = []byte("}")

// message is any other of an operation's messages.
func (op *operation) message(kind string, payload []byte) [3][]byte {
	head := fmt.Appendf(nil, `{"id":%s,"type":%q`, op.quoted, kind)
	if payload != nil {
		head = append(head, `,"payload":`...)
	}
	return [3][]byte{head, payload, closingBrace}
}

// drain closes the connection once what was asked on it has been answered.
func (s *socket) drain() {
	s.mu.Lock()
	owed := slices.Collect(maps.Values(s.running))
	s.mu.Unlock()
	patience, cancel := context.WithTimeout(s.ctx, drainWait)
	defer cancel()
	for _, op := range owed {
		select {
		case <-op.answered:
		case <-patience.Done():
		}
	}
	s.close(closeGoingAway, "Going away")
}
