package file_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

// sendfileListener counts the bytes that its connections get in a form that the system's sendfile takes.
type sendfileListener struct {
	net.Listener
	sent atomic.Int64
}

func (l *sendfileListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return sendfileConn{conn.(*net.TCPConn), &l.sent}, nil
}

type sendfileConn struct {
	*net.TCPConn
	sent *atomic.Int64
}

func (c sendfileConn) ReadFrom(from io.Reader) (int64, error) {
	n, err := c.TCPConn.ReadFrom(from)
	if limited, ok := from.(*io.LimitedReader); ok {
		if _, ok := limited.R.(*os.File); ok {
			c.sent.Add(n)
		}
	}
	return n, err
}

// Whatever the server wraps around a handler, the bytes of a file do not pass through the process.
func TestFile_OfAFolderIsSentBySendfile(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &sendfileListener{Listener: inner}
	n, _ := nodetest.Serve(t, dbtest.New(t), listener)
	all := strings.Repeat("0123456789", 100_000)
	f := store(n, "public", "clip.mp4", "video/mp4", all)
	listener.sent.Store(0)
	if got := get(n, f.path).WantStatus(t, http.StatusOK); string(got.Body) != all {
		t.Fatalf("%d bytes came, of %d", len(got.Body), len(all))
	}
	const sniffed = 512 // net/http sends the first bytes by itself
	if sent := listener.sent.Load(); sent < int64(len(all))-sniffed {
		t.Errorf("sendfile has sent %d bytes of %d", sent, len(all))
	}
}
