package nodetest

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ServerEvent is a server-sent event as received. A comment is one too.
type ServerEvent struct{ Name, ID, Data, Retry, Comment string }

// EventStream is a raw client of server-sent events.
type EventStream struct {
	T      testing.TB
	Header http.Header
	Events chan ServerEvent
	Ended  chan error // nil: the response is complete
}

// StreamChanges follows GET /changes. The query begins with ?, or is empty.
func (c *Client) StreamChanges(query string, header ...string) *EventStream {
	c.T.Helper()
	return c.Stream(http.MethodGet, "/api/v1/changes"+query, "", header...)
}

// Stream opens an event stream. The headers are as those of Call.
func (c *Client) Stream(method, path, body string, header ...string) *EventStream {
	c.T.Helper()
	response := <-c.OpenStream(method, path, body, header...) //nolint:bodyclose // OpenStream closes it
	if response == nil {
		c.T.FailNow()
	}
	if response.StatusCode != http.StatusOK {
		c.T.Fatalf("the stream has status %d", response.StatusCode)
	}
	s := &EventStream{T: c.T, Header: response.Header, Events: make(chan ServerEvent, 10_000), Ended: make(chan error, 1)}
	go s.read(response.Body)
	return s
}

// OpenStream sends the request for an event stream. The response comes when the server begins it; nil for none. The
// headers are as those of Call.
func (c *Client) OpenStream(method, path, body string, header ...string) <-chan *http.Response {
	c.T.Helper()
	request := c.newRequest(method, path, body)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Accept", "text/event-stream")
	setHeaders(request.Header, header)
	begun := make(chan *http.Response, 1)
	go func() {
		defer close(begun)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			if c.T.Context().Err() == nil {
				c.T.Errorf("%s %s: %v", method, path, err)
			}
			return
		}
		c.T.Cleanup(func() { _ = response.Body.Close() })
		begun <- response
	}()
	return begun
}

func (s *EventStream) read(body io.Reader) {
	lines := bufio.NewReader(body)
	var e ServerEvent
	for {
		line, err := lines.ReadString('\n')
		switch field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":"); {
		case errors.Is(err, io.EOF):
			s.Ended <- nil
			return
		case err != nil:
			s.Ended <- err
			return
		case line == "\n":
			s.Events <- e
			e = ServerEvent{}
		case field == "":
			e.Comment = line
		default:
			fields := map[string]*string{"event": &e.Name, "id": &e.ID, "data": &e.Data, "retry": &e.Retry}
			*fields[field] = strings.TrimPrefix(value, " ")
		}
	}
}

// Begin reads the first two events, a retry and a checkpoint, and returns the cursor that the stream begins after.
func (s *EventStream) Begin() (cursor string) {
	s.T.Helper()
	retry, checkpoint := Next(s.T, s.Events), Next(s.T, s.Events)
	if retry.Retry == "" || checkpoint.Name != "checkpoint" || checkpoint.Data != `{"cursor":"`+checkpoint.ID+`"}` {
		s.T.Fatalf("the stream begins with %+v and %+v", retry, checkpoint)
	}
	return checkpoint.ID
}

// NextChange returns the next event, which must be a change, its data byte for byte. It skips the comments and
// checkpoints that a stream sends when nothing has changed for a while.
func (s *EventStream) NextChange() ServerEvent {
	s.T.Helper()
	e := Next(s.T, s.Events)
	for e.Comment != "" || e.Name == "checkpoint" {
		e = Next(s.T, s.Events)
	}
	if e.Name != "" || e.ID == "" || e.Data == "" {
		s.T.Fatalf("got %+v, want a change", e)
	}
	return e
}
