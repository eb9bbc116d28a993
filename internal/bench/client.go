package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// client is one keep-alive HTTP connection. It costs less than net/http's client: the cost of the load generator brings
// all ratios closer to 1.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
	stop func() bool // detaches it from its context
}

// dial connects. The connection breaks when ctx ends.
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

// do sends a request and reads the whole response. The body is valid until the next do.
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
		return 0, nil, nil, errors.New("the response has no Content-Length")
	}
	if response.Close {
		return 0, nil, nil, errors.New("the server closes the connection")
	}
	n := int(response.ContentLength)
	c.body = slices.Grow(c.body[:0], n)[:n]
	_, err = io.ReadFull(response.Body, c.body)
	return response.StatusCode, response.Header, c.body, err
}

// call is a request and the size that its response's body must have.
type call struct {
	request []byte
	size    int // in bytes; -n means at least n
}

func (c *client) call(wanted call) (http.Header, []byte, error) {
	status, header, body, err := c.do(wanted.request)
	switch {
	case err != nil:
		return nil, nil, err
	case status != http.StatusOK:
		return nil, nil, fmt.Errorf("the response is %d: %s", status, body)
	case wanted.size >= 0 && len(body) != wanted.size:
		return nil, nil, fmt.Errorf("the response has %d bytes instead of %d", len(body), wanted.size)
	case len(body) < -wanted.size:
		return nil, nil, fmt.Errorf("the response has %d bytes, fewer than %d", len(body), -wanted.size)
	}
	return header, body, nil
}

// once sends one request on a new connection. The header that it returns has no Date.
func once(ctx context.Context, addr string, request []byte) (header, body string, err error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return "", "", err
	}
	defer c.close()
	h, b, err := c.call(call{request: request, size: -1})
	if err != nil {
		return "", "", err
	}
	h.Del("Date")
	return fmt.Sprint(h), string(b), nil
}

// listCursor is a header that is another text in every answer.
var listCursor = regexp.MustCompile(`Itemcast-Change-Cursor:\[[^]]*\]`)

// checkSameWork fails when two servers respond differently: rows compare servers that do the same work.
func checkSameWork(
	ctx context.Context, addr string, request []byte, baselineAddr string, baselineRequest []byte,
) error {
	header, body, err := once(ctx, addr, request)
	if err != nil {
		return err
	}
	baselineHeader, baselineBody, err := once(ctx, baselineAddr, baselineRequest)
	if err != nil {
		return err
	}
	withoutCursor := func(header string) string { return listCursor.ReplaceAllString(header, "") }
	if withoutCursor(header) != withoutCursor(baselineHeader) || body != baselineBody {
		return fmt.Errorf("the baseline's response differs:\n%s\n%.2000s\n%s\n%.2000s",
			baselineHeader, baselineBody, header, body)
	}
	return nil
}

// message formats a request. Each header line ends with \r\n.
func message(method, addr, path, headers string, body []byte) []byte {
	request := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, path, addr, headers)
	if body != nil {
		request = fmt.Appendf(request, "Content-Length: %d\r\n", len(body))
	}
	return append(append(request, "\r\n"...), body...)
}
