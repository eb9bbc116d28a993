package node_test

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// cuttable is a proxy in front of a server that can cut its connections.
type cuttable struct {
	url string

	mu    sync.Mutex
	down  bool
	count int // connections, also those that could not be passed on
	conns []net.Conn
}

func cuttableTo(t *testing.T, url string) *cuttable {
	t.Helper()
	c := cuttableToAddress(t, strings.TrimPrefix(url, "http://"))
	c.url = "http://" + c.url
	return c
}

// cuttableToAddress returns a proxy whose url is an address without a scheme.
func cuttableToAddress(t *testing.T, address string) *cuttable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cuttable{url: listener.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			onward := c.connect(conn, address)
			if onward == nil {
				_ = conn.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{conn, onward}, {onward, conn}} {
				all.Go(func() {
					defer func() { _, _ = pair[0].Close(), pair[1].Close() }()
					_, _ = pair[0].(*net.TCPConn).WriteTo(pair[1])
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.cut()
		all.Wait()
	})
	return c
}

// connect connects a client with the server; nil when the server cannot be reached.
func (c *cuttable) connect(conn net.Conn, address string) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.down {
		return nil
	}
	onward, err := net.Dial("tcp", address)
	if err != nil {
		return nil
	}
	c.conns = append(c.conns, conn, onward)
	return onward
}

// cut cuts all connections. It returns how many connections there have been.
func (c *cuttable) cut() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cutLocked()
	return c.count
}

// accepted returns how many connections there have been.
func (c *cuttable) accepted() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

func (c *cuttable) cutLocked() {
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// setDown cuts all connections, and then refuses new ones until it is called again.
func (c *cuttable) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
	c.cutLocked()
}
