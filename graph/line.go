package graph

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// writeWait is how long a peer may leave what is sent to it unread before the connection is given up.
	writeWait = 15 * time.Second

	// lineBuffer is enough for frames of a client that listens; larger ones pass it by. net/http's own, of 4 KiB each, would be most of what
	// an idle connection costs.
	lineBuffer = 512

	keepBuffer = 64 << 10 // a larger one is not kept for other connections
)

// line is the connection under a WebSocket: every write has a deadline, and what is written while it is held goes out as one.
type line struct {
	net.Conn
	ahead []byte // what the client sent right behind its handshake: it has been read already

	mu   sync.Mutex
	held *bytes.Buffer
}

func (l *line) Read(p []byte) (int, error) {
	if len(l.ahead) > 0 {
		n := copy(p, l.ahead)
		l.ahead = l.ahead[n:]
		return n, nil
	}
	return l.Conn.Read(p)
}

func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		return l.held.Write(p)
	}
	return l.send(p)
}

func (l *line) send(p []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// hold keeps what is written, for release to send.
func (l *line) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = buffers.Get().(*bytes.Buffer)
}

func (l *line) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	buffer := l.held
	l.held = nil
	_, err := l.send(buffer.Bytes())
	if buffer.Cap() <= keepBuffer {
		buffer.Reset()
		buffers.Put(buffer)
	}
	return err
}

// busy reports whether something is being written at this moment, under a deadline of its own.
func (l *line) busy() bool {
	if !l.mu.TryLock() {
		return true
	}
	l.mu.Unlock()
	return false
}

// hijacker gives a WebSocket its line.
type hijacker struct {
	http.ResponseWriter
	line *line
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.line.Conn = conn
	ahead, err := buffered.Peek(buffered.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	h.line.ahead = bytes.Clone(ahead)
	return h.line, bufio.NewReadWriter(bufio.NewReaderSize(h.line, lineBuffer), bufio.NewWriterSize(h.line, lineBuffer)), nil
}
