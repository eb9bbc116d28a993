package transport

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/live"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
)

const (
	// maxOperations limits the operations that run on one connection at a time.
	maxOperations = 100

	// maxID limits an operation's id, in bytes. Each of its messages carries the id.
	maxID = 256

	// reopenInterval is how long a subscription waits before it asks an unavailable database again.
	reopenInterval = time.Second
)

// operation is a query, mutation or subscription that a subscribe message has started.
type operation struct {
	id       string
	quoted   []byte // the id in JSON
	prefix   []byte // of its "next" messages
	ended    atomic.Bool
	cancel   context.CancelFunc
	answered chan struct{} // closed when it has been answered, or has turned out to be a subscription
}

// start runs an operation. A subscription without a cursor begins at this moment, however long it takes to open.
func (s *socket) start(id string, request []byte) {
	quoted, err := plainjson.Marshal(id)
	if err != nil {
		s.close(closeBadRequest, "Invalid message received")
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	op := &operation{
		id: id, quoted: quoted, prefix: fmt.Appendf(nil, `{"id":%s,"type":"next","payload":`, quoted), cancel: cancel,
		answered: make(chan struct{}),
	}
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
		err := problem.New(problem.TooManyRequests,
			"This connection runs %d operations, the limit; complete some, or open another connection.", maxOperations)
		s.writeMessages(always, op.message("error", encodeErrors(s.server.presentAll(ctx, err))))
	default:
		go s.run(ctx, op, request, s.server.Hub.Present())
	}
}

// stop ends an operation that the client has completed. Its unsent messages are dropped.
func (s *socket) stop(id string) {
	s.mu.Lock()
	op := s.running[id]
	s.mu.Unlock()
	if op != nil {
		s.remove(op)
	}
}

// remove removes an operation from the connection, and reports whether it was there.
func (s *socket) remove(op *operation) bool {
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
	defer s.recoverOperation(ctx, op)
	params, fault := decodeParams(raw)
	if fault != nil {
		s.fail(ctx, op, fault)
		return
	}
	ctx = graphql.StartOperationTrace(ctx)
	operation, faults := createOperation(ctx, s.exec, raw, params)
	overLimit := s.server.Spend(ctx)
	switch {
	case faults != nil:
		s.fail(ctx, op, faults)
	case operation.Operation.Operation == ast.Subscription:
		s.subscribe(ctx, op, raw, operation, present, overLimit)
	case overLimit != nil:
		s.fail(ctx, op, overLimit)
	default:
		responses, ctx := s.exec.DispatchOperation(ctx, operation)
		if response := responses(ctx); response != nil {
			s.send(op, live.Message{Body: encode(response)})
		}
		s.finish(op, "complete", nil)
	}
}

// subscribe opens a subscription, now or as soon as the server can and the client may. overLimit is not nil while the
// client's access token is over its limit of requests.
func (s *socket) subscribe(ctx context.Context, op *operation, raw []byte, operation *graphql.OperationContext,
	present string, overLimit error,
) {
	open := func() (*live.Follower, error) {
		if overLimit != nil {
			if overLimit = s.server.Spend(ctx); overLimit != nil {
				return nil, overLimit
			}
		}
		startAfter := func(after string) string { return cmp.Or(after, present) }
		_, follower, err := s.server.follow(ctx, s.exec, raw, operation, startAfter)
		return follower, err
	}
	follower, err := open()
	switch {
	case overLimit == nil && problem.Is(err, problem.TooManyRequests):
		s.fail(ctx, op, err)
	case err != nil && problem.IsTemporary(err):
		go s.followLater(ctx, op, open)
	case err != nil:
		s.fail(ctx, op, err)
	default:
		go s.follow(ctx, op, follower) // a new goroutine, because gqlgen has grown the stack of this one
	}
}

// followLater opens a subscription that could not be opened, such as during an outage of the database, as soon as that
// is possible. An error would end the subscription for good.
func (s *socket) followLater(ctx context.Context, op *operation, open func() (*live.Follower, error)) {
	defer s.recoverOperation(ctx, op)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(reopenInterval):
		}
		follower, err := open()
		switch {
		case err == nil:
			s.follow(ctx, op, follower)
			return
		case !problem.IsTemporary(err):
			s.fail(ctx, op, err)
			return
		}
	}
}

// recoverOperation ends an operation that has panicked. Defer it.
func (s *socket) recoverOperation(ctx context.Context, op *operation) {
	if cause := recover(); cause != nil {
		s.server.Log.Error("an operation panicked", "error", cause, "stack", string(debug.Stack()))
		s.fail(ctx, op, fmt.Errorf("an operation panicked: %v", cause))
	}
}

// follow sends a subscription's messages until the subscription or the connection ends.
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

// fail ends an operation with an error. The connection stays open.
func (s *socket) fail(ctx context.Context, op *operation, err error) {
	if ctx.Err() == nil {
		s.finish(op, "error", encodeErrors(s.server.presentAll(ctx, err)))
	}
}

// finish sends an operation's last message, unless the client has completed the operation.
func (s *socket) finish(op *operation, kind string, payload []byte) {
	s.writeMessages(func() bool { return s.remove(op) }, op.message(kind, payload))
}

// send sends messages of an operation in one write, unless the operation has ended.
func (s *socket) send(op *operation, messages ...live.Message) {
	all := make([][3][]byte, len(messages))
	for i, m := range messages {
		all[i] = op.next(m.Body)
	}
	s.writeMessages(func() bool { return !op.ended.Load() }, all...)
}

// next is a message with a result.
func (op *operation) next(payload []byte) [3][]byte {
	return [3][]byte{op.prefix, payload, closingBrace}
}

var closingBrace = []byte("}")

// message is one of the operation's other messages.
func (op *operation) message(kind string, payload []byte) [3][]byte {
	head := fmt.Appendf(nil, `{"id":%s,"type":%q`, op.quoted, kind)
	if payload != nil {
		head = append(head, `,"payload":`...)
	}
	return [3][]byte{head, payload, closingBrace}
}
