package graph

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// writeWait is how long a peer may leave what is sent to it unread before the connection is given up.
	writeWait = 15 * time.Second

	// What a client that listens sends fits into the first, larger messages pass it by; a control frame fits into the second. net/http's own,
	// of 4 KiB each, would be most of what an idle connection costs.
	readBuffer    = 256
	controlBuffer = 144

	keepBuffer = 64 << 10 // a larger one is not kept for other connections
)

// line is the connection under a WebSocket. Messages are written to it as frames of its own (RFC 6455 §5.2: unmasked, unfragmented), many at
// once, each write under a deadline; the WebSocket above reads, and writes the control frames, each of which is one write.
type line struct {
	net.Conn
	in    *bufio.Reader // over Read
	ahead []byte        // what has been read of the connection, and not yet by in

	mu     sync.Mutex
	closed bool // nothing follows the close frame
}

func (l *line) Read(p []byte) (int, error) {
	if len(l.ahead) > 0 {
		n := copy(p, l.ahead)
		l.ahead = l.ahead[n:]
		return n, nil
	}
	return l.Conn.Read(p)
}

// await returns when there is something to read, or the connection has ended. A goroutine that waits here has a stack of half the size that it
// has inside of the WebSocket.
func (l *line) await() {
	if l.in.Buffered() > 0 || len(l.ahead) > 0 {
		return
	}
	var first [readBuffer]byte
	if n, _ := l.Conn.Read(first[:]); n > 0 { // an error comes again
		l.ahead = bytes.Clone(first[:n])
	}
}

// Write writes a control frame of the WebSocket's.
func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return len(p), nil
	}
	return l.send(p)
}

func (l *line) send(p []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return 0, err
	}
	return l.Conn.Write(p)
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// writeMessages writes messages, each made of parts, unless the close frame has been sent, or wanted says otherwise at the last moment.
func (l *line) writeMessages(wanted func() bool, messages ...[3][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !wanted() {
		return nil
	}
	buffer := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buffer) <= keepBuffer {
			buffers.Put(buffer)
		}
	}()
	*buffer = (*buffer)[:0]
	for _, parts := range messages {
		*buffer = appendHeader(*buffer, len(parts[0])+len(parts[1])+len(parts[2]))
		for _, part := range parts {
			*buffer = append(*buffer, part...)
		}
	}
	_, err := l.send(*buffer)
	return err
}

// appendHeader appends the header of a text frame.
func appendHeader(frame []byte, size int) []byte {
	const finalText = 0x81
	switch {
	case size < 126:
		return append(frame, finalText, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(frame, finalText, 126), uint16(size))
	default:
		return binary.BigEndian.AppendUint64(append(frame, finalText, 127), uint64(size))
	}
}

// writeClose writes the close frame (RFC 6455 §5.5.1). The WebSocket's own would wait for the peer's by reading, where somebody else reads.
func (l *line) writeClose(code websocket.StatusCode, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		_, _ = l.send(append(binary.BigEndian.AppendUint16([]byte{0x88, byte(2 + len(reason))}, uint16(code)), reason...))
	}
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
	h.line.ahead = bytes.Clone(ahead) // what the client sent right behind its handshake
	h.line.in = bufio.NewReaderSize(h.line, readBuffer)
	return h.line, bufio.NewReadWriter(h.line.in, bufio.NewWriterSize(h.line, controlBuffer)), nil
}
