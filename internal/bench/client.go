package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// client is one HTTP connection that is kept open. It costs less than net/http's client, and whatever the load generator costs dilutes the
// ratios.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
	stop func() bool // unties it from its context
}

// dial connects; the connection is broken off when ctx ends.
func dial(ctx context.Context, addr string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), stop: stop}, nil
}

func (c *client) close() {
	c.stop()
	_ = c.conn.Close()
}

// do sends a request and reads the whole answer. The body is valid until the next do.
func (c *client) do(request []byte) (status int, header http.Header, body []byte, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, nil, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.ContentLength < 0 {
		return 0, nil, nil, errors.New("the answer has no Content-Length")
	}
	if response.Close {
		return 0, nil, nil, errors.New("the connection is not kept open")
	}
	n := int(response.ContentLength)
	c.body = slices.Grow(c.body[:0], n)[:n]
	_, err = io.ReadFull(response.Body, c.body)
	return response.StatusCode, response.Header, c.body, err
}

// call is a request, and what its answer must be.
type call struct {
	request []byte
	size    int // of the body, exactly; below zero: at least that
}

func (c *client) call(wanted call) (http.Header, []byte, error) {
	status, header, body, err := c.do(wanted.request)
	switch {
	case err != nil:
		return nil, nil, err
	case status != http.StatusOK:
		return nil, nil, fmt.Errorf("the answer is %d: %s", status, body)
	case wanted.size >= 0 && len(body) != wanted.size, wanted.size < 0 && len(body) < -wanted.size:
		return nil, nil, fmt.Errorf("the answer has %d bytes, and not %d", len(body), wanted.size)
	}
	return header, body, nil
}

// message writes a request. The header lines end with \r\n each.
func message(method, addr, path, headers string, body []byte) []byte {
	request := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, path, addr, headers)
	if body != nil {
		request = fmt.Appendf(request, "Content-Length: %d\r\n", len(body))
	}
	return append(append(request, "\r\n"...), body...)
}

// request is one that signs in.
func (p *product) request(method, path, headers string, body []byte) []byte {
	return message(method, p.addr, path, "Authorization: "+authorization+"\r\n"+headers, body)
}

func (b *baselineProcess) request(method, path, headers string, body []byte) []byte {
	return message(method, b.addr, path, headers, body)
}
