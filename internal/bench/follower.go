package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	followerBuffer = 8 << 10 // bytes; a few messages
	fanOutTimeout  = 30 * time.Second
)

// follower is a WebSocket client that does as little as possible with a message: thousands of them share the machine
// with the server.
type follower struct {
	conn net.Conn
	in   *bufio.Reader
}

// dialFollower connects. With a query, it also signs in and subscribes, and returns when the server has read the
// subscription.
func dialFollower(ctx context.Context, addr, path, query, authorization string) (_ *follower, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(fanOutTimeout))
	f := &follower{conn: conn, in: bufio.NewReaderSize(conn, followerBuffer)}
	headers := "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: " + subprotocol + "\r\n"
	if _, err := conn.Write(message(http.MethodGet, addr, path, headers, nil)); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(f.in, nil) //nolint:bodyclose // the response has no body
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("the response to the handshake is %s", response.Status)
	}
	if query == "" {
		return f, conn.SetDeadline(time.Time{})
	}
	for _, step := range []struct {
		send map[string]any
		want string // the type of the response; empty: none
	}{
		{connectionInit(authorization), "connection_ack"},
		{map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": query}}, ""},
		{map[string]any{"type": "ping"}, "pong"},
	} {
		if err := f.send(step.send); err != nil {
			return nil, err
		}
		if step.want == "" {
			continue
		}
		size, err := f.header()
		if err != nil {
			return nil, err
		}
		message := make([]byte, size)
		if _, err := io.ReadFull(f.in, message); err != nil {
			return nil, err
		}
		if !bytes.Contains(message, []byte(step.want)) {
			return nil, fmt.Errorf("got %s instead of %s", message, step.want)
		}
	}
	return f, conn.SetDeadline(time.Time{})
}

func (f *follower) send(message map[string]any) error {
	raw, err := json.Marshal(message)
	if err != nil {
		return err
	}
	const text, masked, with16Bits = 0x81, 0x80, 126
	head := binary.BigEndian.AppendUint16([]byte{text, masked | with16Bits}, uint16(len(raw)))
	head = append(head, 0, 0, 0, 0) // a mask of zeros does not change the message
	_, err = f.conn.Write(append(head, raw...))
	return err
}

// header reads a frame's header and returns the length of its payload.
func (f *follower) header() (size int, err error) {
	var head [8]byte
	if _, err := io.ReadFull(f.in, head[:2]); err != nil {
		return 0, err
	}
	switch size = int(head[1]); size {
	case 126:
		_, err = io.ReadFull(f.in, head[:2])
		return int(binary.BigEndian.Uint16(head[:2])), err
	case 127:
		_, err = io.ReadFull(f.in, head[:8])
		return int(binary.BigEndian.Uint64(head[:8])), err
	}
	return size, nil
}

// read counts changes until the round is over. Each must have the revision after the last.
func (f *follower) read(c *crowd) error {
	for next := c.first; ; {
		size, err := f.header()
		if err != nil {
			if c.over.Load() {
				return nil
			}
			return err
		}
		start, err := f.in.Peek(min(size, frameStartLength))
		if err != nil {
			return err
		}
		_, rest, change := bytes.Cut(start, []byte(`"revision":`))
		switch {
		case change:
			digits, _, _ := bytes.Cut(rest, []byte(","))
			revision, err := strconv.ParseInt(string(digits), 10, 64)
			if err != nil || revision != next {
				return fmt.Errorf("got revision %s instead of %d", digits, next)
			}
			next++
			c.reach(revision)
		case bytes.Contains(start, []byte(`"ping"`)):
			if err := f.send(map[string]any{"type": "pong"}); err != nil {
				return err
			}
		default:
			return errors.New("the subscription ended: " + string(start))
		}
		if _, err := f.in.Discard(size); err != nil {
			return err
		}
	}
}

func (f *follower) close() { _ = f.conn.Close() }
