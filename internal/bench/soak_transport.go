package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

// transport opens a connection that begins after the soaker's cursor. read returns the changes one by one, or nil
// when none has arrived for a second.
type transport func(ctx context.Context, s *soaker) (read func() (*soakChange, error), end func(), err error)

// transport is the soaker's own, by its number. Half of the soakers use a WebSocket.
func (s *soaker) transport() transport {
	all := []transport{overWebSocket, overEventStream, overGraphQLEventStream, overWebSocket, overLongPoll, overWebSocket}
	return all[s.n%len(all)]
}

// parseGraphQL parses a message with soakFields, and returns nil for any other.
func parseGraphQL(message []byte) (*soakChange, error) {
	start := bytes.Index(message, []byte(`"itemChanges":{`))
	if start < 0 {
		return nil, nil
	}
	message = message[start:min(len(message), start+400)]
	id, revision := between(message, `"id":"`, `"`), between(message, `"revision":`, `,`)
	return newSoakChange(id, revision, between(message, `"cursor":"`, `"`))
}

func newSoakChange(item, revision, cursor string) (*soakChange, error) {
	id, err := uuid.Parse(item)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(revision, 10, 64)
	return &soakChange{id, n, cursor}, err
}

func overWebSocket(ctx context.Context, s *soaker) (func() (*soakChange, error), func(), error) {
	one, err := dialSubscriber(ctx, s.addr, s.query(), map[string]any{"after": s.after()})
	if err != nil {
		return nil, nil, err
	}
	messages := readAhead(one.ctx, func() ([]byte, error) {
		for {
			_, message, err := one.conn.Read(one.ctx)
			if err != nil || string(message) != `{"type":"ping"}` {
				return message, err
			}
			if err := one.conn.Write(one.ctx, websocket.MessageText, []byte(`{"type":"pong"}`)); err != nil {
				return nil, err
			}
		}
	})
	return func() (*soakChange, error) {
		message, err := messages()
		if err != nil || message == nil {
			return nil, err
		}
		return parseGraphQL(message)
	}, one.close, nil
}

// readAhead reads on a goroutine, one piece ahead. It stops reading while no piece is taken. take returns nil when no
// piece has arrived for a second.
func readAhead(ctx context.Context, read func() ([]byte, error)) (take func() ([]byte, error)) {
	pieces := make(chan []byte)
	go func() {
		defer close(pieces)
		for {
			piece, err := read()
			if err != nil {
				return
			}
			select {
			case pieces <- piece:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() ([]byte, error) {
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		select {
		case piece, ok := <-pieces:
			if !ok {
				return nil, io.ErrUnexpectedEOF
			}
			return piece, nil
		case <-timer.C:
			return nil, nil
		}
	}
}

func overEventStream(ctx context.Context, s *soaker) (func() (*soakChange, error), func(), error) {
	return s.eventStream(ctx, http.MethodGet, "/api/v1/changes", nil, func(data []byte) (*soakChange, error) {
		head, document, ok := bytes.Cut(data, []byte(`"document":{`))
		if !ok {
			return nil, nil // a checkpoint, not a change
		}
		id, revision := between(document, `"id":"`, `"`), between(head, `"revision":`, `,`)
		return newSoakChange(id, revision, between(head, `"cursor":"`, `"`))
	})
}

func overGraphQLEventStream(ctx context.Context, s *soaker) (func() (*soakChange, error), func(), error) {
	body := fmt.Appendf(nil, `{"query":%q}`, s.query())
	return s.eventStream(ctx, http.MethodPost, "/graphql", body, parseGraphQL)
}

func (s *soaker) eventStream(
	ctx context.Context, method, path string, body []byte, parse func([]byte) (*soakChange, error),
) (func() (*soakChange, error), func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.addr+path, bytes.NewReader(body))
	if err != nil {
		cancel()
		return nil, nil, err
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Content-Type", "application/json")
	if s.cursor != "" {
		request.Header.Set("Last-Event-ID", s.cursor)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	end := func() { cancel(); _ = response.Body.Close() }
	if response.StatusCode != http.StatusOK {
		end()
		return nil, nil, fmt.Errorf("%s responds %s", path, response.Status)
	}
	in := bufio.NewReaderSize(response.Body, 4096)
	next := readAhead(ctx, func() ([]byte, error) { return in.ReadBytes('\n') })
	return func() (*soakChange, error) {
		line, err := next()
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if err != nil || !ok {
			return nil, err
		}
		return parse(data)
	}, end, nil
}

func overLongPoll(ctx context.Context, s *soaker) (func() (*soakChange, error), func(), error) {
	var page [][]byte
	var cursor string
	return func() (*soakChange, error) {
		if len(page) == 0 {
			path := "/api/v1/changes?wait=1&limit=200"
			if after := cmp.Or(cursor, s.cursor); after != "" {
				path += "&after=" + after
			}
			body, err := s.api(ctx, http.MethodGet, path, "")
			if err != nil {
				return nil, err
			}
			cursor = between(body[bytes.LastIndex(body, []byte(`],"cursor"`))+1:], `"cursor":"`, `"`)
			page = bytes.Split(body, []byte(`{"cursor":"`))[1:]
			if len(page) == 0 {
				return nil, nil
			}
		}
		data := page[0]
		page = page[1:]
		head, document, _ := bytes.Cut(data, []byte(`"document":{`))
		after, _, _ := bytes.Cut(head, []byte(`"`))
		return newSoakChange(between(document, `"id":"`, `"`), between(head, `"revision":`, `,`), string(after))
	}, func() {}, nil
}
