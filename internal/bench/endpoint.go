package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// endpoint is a receiver of hooks, on connections that are kept open. It costs less than net/http's server, as client does.
//
// It holds what comes against the promise: an item's revisions one after the other, the next not before the last was answered with 2xx; what
// comes again has the same webhook-id, and nothing else has it.
type endpoint struct {
	listener net.Listener
	answer   answer
	closed   chan struct{}
	serving  sync.WaitGroup

	arrived chan struct{} // one signal waits here at most

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	most     int // of them at a time
	lines    map[uuid.UUID]*line
	webhooks map[string]revision
	arrivals []arrival // that were answered with 2xx, each revision once
	repeated int       // that came again after that
	fault    error     // the first
}

// line is where an item is: the last revision that was answered with 2xx, and the last that came.
type line struct{ accepted, came int64 }

// answer says how a POST is answered, when it returns; closed ends the waiting. Zero is not at all.
type answer func(closed <-chan struct{}) (status int)

func atOnce(<-chan struct{}) int { return http.StatusOK }

func broken(<-chan struct{}) int { return http.StatusInternalServerError }

func never(closed <-chan struct{}) int {
	<-closed
	return 0
}

// oneASecond answers one after the other.
func oneASecond() answer {
	var turn sync.Mutex
	return func(closed <-chan struct{}) int {
		turn.Lock()
		defer turn.Unlock()
		select {
		case <-closed:
			return 0
		case <-time.After(time.Second):
			return http.StatusOK
		}
	}
}

// onceOpen answers nobody before the gate is open, and then at once.
func onceOpen(gate <-chan struct{}) answer {
	return func(closed <-chan struct{}) int {
		select {
		case <-closed:
			return 0
		case <-gate:
			return http.StatusOK
		}
	}
}

func openEndpoint(a answer) (*endpoint, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &endpoint{
		listener: listener, answer: a, closed: make(chan struct{}), conns: map[net.Conn]struct{}{}, lines: map[uuid.UUID]*line{}, webhooks: map[string]revision{},
		arrived: make(chan struct{}, 1),
	}
	e.serving.Go(e.accept)
	return e, nil
}

func (e *endpoint) url() string { return "http://" + e.listener.Addr().String() + "/" }

// close breaks off what goes on.
func (e *endpoint) close() {
	close(e.closed)
	e.listener.Close()
	e.mu.Lock()
	for conn := range e.conns {
		_ = conn.Close()
	}
	e.mu.Unlock()
	e.serving.Wait()
}

func (e *endpoint) accept() {
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			return
		}
		e.mu.Lock()
		e.conns[conn] = struct{}{}
		e.most = max(e.most, len(e.conns))
		e.mu.Unlock()
		e.serving.Go(func() {
			e.serve(conn)
			_ = conn.Close()
			e.mu.Lock()
			delete(e.conns, conn)
			e.mu.Unlock()
		})
		if isClosed(e.closed) { // while it was accepted
			_ = conn.Close()
		}
	}
}

var answers = map[int][]byte{
	http.StatusOK:                  []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
	http.StatusInternalServerError: []byte("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
}

// serve answers what comes on a connection, until its end.
func (e *endpoint) serve(conn net.Conn) {
	in := bufio.NewReaderSize(conn, 8<<10)
	var body bytes.Buffer
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body.Reset()
		if _, err := body.ReadFrom(request.Body); err != nil {
			return
		}
		received := time.Now()
		r, err := e.arrive(request.Header, body.Bytes())
		if err != nil {
			e.fail(err)
			return
		}
		status := e.answer(e.closed)
		if status == http.StatusOK {
			e.succeed(arrival{r, received})
		}
		if _, err := conn.Write(answers[status]); err != nil || status == 0 {
			return
		}
	}
}

// arrive notes what is being tried.
func (e *endpoint) arrive(header http.Header, body []byte) (r revision, err error) {
	if r.n, err = strconv.ParseInt(header.Get("Itemcast-Revision"), 10, 64); err != nil {
		return r, err
	}
	if r.item, err = uuid.Parse(between(body[:min(len(body), 64)], `"id":"`, `"`)); err != nil {
		return r, err
	}
	webhook := header.Get("Webhook-Id")
	e.mu.Lock()
	defer e.mu.Unlock()
	if other, again := e.webhooks[webhook]; again {
		if other != r {
			err = fmt.Errorf("%v has the webhook-id of %v", r, other)
		}
		return r, err
	}
	e.webhooks[webhook] = r
	l := e.lines[r.item]
	if l == nil {
		l = &line{accepted: r.n - 1, came: r.n - 1}
		e.lines[r.item] = l
	}
	if r.n != l.accepted+1 || r.n == l.came {
		return r, fmt.Errorf("%v came, as %s, after revision %d was accepted and %d came", r, webhook, l.accepted, l.came)
	}
	l.came = r.n
	return r, nil
}

func (e *endpoint) succeed(a arrival) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[a.item]
	if a.n <= l.accepted {
		e.repeated++
		return
	}
	l.accepted = a.n
	e.arrivals = append(e.arrivals, a)
	select {
	case e.arrived <- struct{}{}:
	default:
	}
}

func (e *endpoint) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fault == nil {
		e.fault = err
	}
}

// count is of revisions that were answered with 2xx.
func (e *endpoint) count() (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.arrivals), e.fault
}

// await waits until n have been answered with 2xx.
func (e *endpoint) await(ctx context.Context, n int) error {
	for {
		count, err := e.count()
		if err != nil || count >= n {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d deliveries have come: %w", count, n, ctx.Err())
		case <-e.arrived:
		}
	}
}

// all are the arrivals so far.
func (e *endpoint) all() []arrival {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.arrivals)
}
