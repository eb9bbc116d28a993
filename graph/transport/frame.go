package transport

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// writeTimeout is how long a client may leave a write unread before it is disconnected.
const writeTimeout = 15 * time.Second

// Buffer sizes, in bytes. net/http's buffers, of 4 KiB each, would be most of an idle connection's memory.
const (
	readBuffer    = 256 // a subscriber's messages fit; larger ones bypass the buffer
	controlBuffer = 144 // a control frame fits

	maxPooledBuffer = 64 << 10
)

// frameConn is the connection under a WebSocket. Messages are written to it as frames (RFC 6455 §5.2: unmasked,
// unfragmented), many in one write, with a deadline for each write. The WebSocket above reads, and writes control
// frames, each with one call of Write.
//
// The WebSocket's own Write costs a lock, a goroutine and a copy for each message. With 2,000 subscribers that was most
// of the CPU time.
type frameConn struct {
	net.Conn
	in    *bufio.Reader // reads from this connection
	ahead []byte        // read from Conn, and not yet by in

	mu     sync.Mutex // serializes writes
	closed bool       // the close frame has been sent; nothing follows it
}

func (c *frameConn) Read(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// awaitInput returns when there is something to read, or the connection has ended. A goroutine that waits here has half
// the stack of one that waits inside the WebSocket.
func (c *frameConn) awaitInput() {
	if c.in.Buffered() > 0 || len(c.ahead) > 0 {
		return
	}
	var first [readBuffer]byte
	if n, _ := c.Conn.Read(first[:]); n > 0 { // the next Read returns an error again
		c.ahead = bytes.Clone(first[:n])
	}
}

// Write writes a control frame of the WebSocket's.
func (c *frameConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return len(p), nil
	}
	return c.send(p)
}

// send writes within writeTimeout. The caller holds mu.
func (c *frameConn) send(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// writeMessages writes messages, each made of parts, in one write. It writes nothing after the close frame, or if
// wanted reports false; it calls wanted just before the write, under mu.
func (c *frameConn) writeMessages(wanted func() bool, messages ...[3][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || !wanted() {
		return nil
	}
	buffer := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buffer) <= maxPooledBuffer {
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
	_, err := c.send(*buffer)
	return err
}

// appendHeader appends the header of a text frame (RFC 6455 §5.2).
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

// writeClose writes the close frame (RFC 6455 §5.5.1). The WebSocket's own Close would read the client's answer, while
// socket.read reads.
func (c *frameConn) writeClose(code websocket.StatusCode, reason string) {
	const finalClose = 0x88
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		frame := binary.BigEndian.AppendUint16([]byte{finalClose, byte(2 + len(reason))}, uint16(code))
		_, _ = c.send(append(frame, reason...))
	}
}

// isWriting reports whether a write is in progress.
func (c *frameConn) isWriting() bool {
	if !c.mu.TryLock() {
		return true
	}
	c.mu.Unlock()
	return false
}
