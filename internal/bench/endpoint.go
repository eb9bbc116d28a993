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

	"itemcast/internal/wake"
)

// endpoint is a receiver of hooks on keep-alive connections. It costs less than net/http's server.
//
// It checks Itemcast's promises. An item's revisions arrive in order, each only after a 2xx for the one before. A
// redelivery has the webhook-id of the first delivery, and no other delivery has that id.
type endpoint struct {
	listener net.Listener
	answer   answer
	closed   chan struct{}
	serving  sync.WaitGroup

	arrived wake.Signal // signals a new arrival; has room for one signal

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	maxConns int // at a time
	progress map[uuid.UUID]*progress
	webhooks map[string]revision
	arrivals []arrival // with a 2xx, each revision once
	repeated int       // deliveries of a revision that had a 2xx already
	fault    error     // the first broken promise
}

// progress is the progress of an item's deliveries: its last revision with a 2xx, and the last that arrived.
type progress struct{ accepted, arrived int64 }

func openEndpoint(a answer) (*endpoint, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &endpoint{
		listener: listener, answer: a, closed: make(chan struct{}), arrived: wake.New(),
		conns: map[net.Conn]struct{}{}, progress: map[uuid.UUID]*progress{}, webhooks: map[string]revision{},
	}
	e.serving.Go(e.listen)
	return e, nil
}

func (e *endpoint) url() string { return "http://" + e.listener.Addr().String() + "/" }

// close breaks all connections.
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

func (e *endpoint) listen() {
	for {
		conn, err := e.listener.Accept()
		if err != nil {
			return
		}
		e.mu.Lock()
		e.conns[conn] = struct{}{}
		e.maxConns = max(e.maxConns, len(e.conns))
		e.mu.Unlock()
		e.serving.Go(func() {
			e.serve(conn)
			_ = conn.Close()
			e.mu.Lock()
			delete(e.conns, conn)
			e.mu.Unlock()
		})
		if isClosed(e.closed) { // close may have missed this connection
			_ = conn.Close()
		}
	}
}

var responses = map[int][]byte{
	http.StatusOK:                  []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
	http.StatusInternalServerError: []byte("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
}

// serve responds to the requests of one connection, until it ends.
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
			e.accept(arrival{r, received})
		}
		if _, err := conn.Write(responses[status]); err != nil || status == 0 {
			return
		}
	}
}

// arrive records an attempt.
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
	if other, known := e.webhooks[webhook]; known {
		if other != r {
			err = fmt.Errorf("%v has the webhook-id of %v", r, other)
		}
		return r, err
	}
	e.webhooks[webhook] = r
	p := e.progress[r.item]
	if p == nil {
		p = &progress{accepted: r.n - 1, arrived: r.n - 1}
		e.progress[r.item] = p
	}
	if r.n != p.accepted+1 || r.n == p.arrived {
		return r, fmt.Errorf("%v arrived with webhook-id %s, after revision %d was accepted and %d had arrived",
			r, webhook, p.accepted, p.arrived)
	}
	p.arrived = r.n
	return r, nil
}

// accept records an attempt that gets a 2xx.
func (e *endpoint) accept(a arrival) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.progress[a.item]
	if a.n <= p.accepted {
		e.repeated++
		return
	}
	p.accepted = a.n
	e.arrivals = append(e.arrivals, a)
	e.arrived.Send()
}

func (e *endpoint) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fault == nil {
		e.fault = err
	}
}

// count returns the number of revisions with a 2xx, and the first broken promise.
func (e *endpoint) count() (n int, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.arrivals), e.fault
}

// await waits until n revisions have a 2xx.
func (e *endpoint) await(ctx context.Context, n int) error {
	for {
		count, err := e.count()
		if err != nil || count >= n {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d deliveries arrived: %w", count, n, ctx.Err())
		case <-e.arrived:
		}
	}
}

// all returns the arrivals so far.
func (e *endpoint) all() []arrival {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.arrivals)
}

// repeats is the number of deliveries of revisions that had a 2xx already.
func (e *endpoint) repeats() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.repeated
}
