package nodetest

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// serverEvent is an event as a client gets it, comments too.
type ServerEvent struct{ Name, ID, Data, Retry, Comment string }

// eventStream is a raw client of server-sent events.
type EventStream struct {
	T      *testing.T
	Header http.Header
	Events chan ServerEvent
	Ended  chan error // nil: by the end of the answer
}

// stream follows GET /changes.
func (n *Client) StreamChanges(query string, header ...string) *EventStream {
	n.T.Helper()
	return n.Stream(http.MethodGet, "/api/v1/changes"+query, "", header...)
}

func (n *Client) Stream(method, path, body string, header ...string) *EventStream {
	n.T.Helper()
	request, err := http.NewRequestWithContext(n.T.Context(), method, n.URL+path, strings.NewReader(body))
	if err != nil {
		n.T.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", n.Authorization)
	request.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		n.T.Fatalf("the stream answers %d", response.StatusCode)
	}
	s := &EventStream{T: n.T, Header: response.Header, Events: make(chan ServerEvent, 10_000), Ended: make(chan error, 1)}
	go s.read(response.Body)
	return s
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
			*map[string]*string{"event": &e.Name, "id": &e.ID, "data": &e.Data, "retry": &e.Retry}[field] = strings.TrimPrefix(value, " ")
		}
	}
}

// begins reads how every stream begins, and returns the cursor that it stands at.
func (s *EventStream) Begin() (cursor string) {
	s.T.Helper()
	retry, checkpoint := Next(s.T, s.Events), Next(s.T, s.Events)
	if retry.Retry == "" || checkpoint.Name != "checkpoint" || checkpoint.Data != `{"cursor":"`+checkpoint.ID+`"}` {
		s.T.Fatalf("the stream begins with %+v and %+v", retry, checkpoint)
	}
	return checkpoint.ID
}

// change reads a change, its data byte for byte.
func (s *EventStream) Change() (e ServerEvent) {
	s.T.Helper()
	if e = Next(s.T, s.Events); e.Name != "" || e.ID == "" || e.Data == "" {
		s.T.Fatalf("got %+v, want a change", e)
	}
	return e
}
