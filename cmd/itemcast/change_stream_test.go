package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/node"
)

// serverEvent is an event as a client gets it, comments too.
type serverEvent struct{ name, id, data, retry, comment string }

// eventStream is a raw client of server-sent events.
type eventStream struct {
	t      *testing.T
	header http.Header
	events chan serverEvent
	ended  chan error // nil: by the end of the answer
}

// stream follows GET /changes.
func (n *apiClient) stream(query string, header ...string) *eventStream {
	n.t.Helper()
	return n.streamOf(http.MethodGet, "/api/v1/changes"+query, "", header...)
}

func (n *apiClient) streamOf(method, path, body string, header ...string) *eventStream {
	n.t.Helper()
	request, err := http.NewRequestWithContext(n.t.Context(), method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", n.authorization)
	request.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		n.t.Fatalf("the stream answers %d", response.StatusCode)
	}
	s := &eventStream{t: n.t, header: response.Header, events: make(chan serverEvent, 10_000), ended: make(chan error, 1)}
	go s.read(response.Body)
	return s
}

func (s *eventStream) read(body io.Reader) {
	lines := bufio.NewReader(body)
	var e serverEvent
	for {
		line, err := lines.ReadString('\n')
		switch field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":"); {
		case errors.Is(err, io.EOF):
			s.ended <- nil
			return
		case err != nil:
			s.ended <- err
			return
		case line == "\n":
			s.events <- e
			e = serverEvent{}
		case field == "":
			e.comment = line
		default:
			*map[string]*string{"event": &e.name, "id": &e.id, "data": &e.data, "retry": &e.retry}[field] = strings.TrimPrefix(value, " ")
		}
	}
}

// begins reads how every stream begins, and returns the cursor that it stands at.
func (s *eventStream) begins() (cursor string) {
	s.t.Helper()
	retry, checkpoint := next(s.t, s.events), next(s.t, s.events)
	if retry.retry == "" || checkpoint.name != "checkpoint" || checkpoint.data != `{"cursor":"`+checkpoint.id+`"}` {
		s.t.Fatalf("the stream begins with %+v and %+v", retry, checkpoint)
	}
	return checkpoint.id
}

// change reads a change, its data byte for byte.
func (s *eventStream) change() (e serverEvent) {
	s.t.Helper()
	if e = next(s.t, s.events); e.name != "" || e.id == "" || e.data == "" {
		s.t.Fatalf("got %+v, want a change", e)
	}
	return e
}

// served is a node at a listener, served and stopped as the command does it.
func served(t *testing.T, pool *pgxpool.Pool, listener net.Listener) (n *testNode, stop func()) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if _, err := account.Ensure(t.Context(), pool, adminEmail, adminPassword); err != nil {
		t.Fatal(err)
	}
	publicURL := "http://" + listener.Addr().String()
	wired, err := node.New(t.Context(), pool, node.Config{PublicURL: publicURL, ConnectionsPerUser: manyConnections, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	background, stopBackground := context.WithCancel(context.Background())
	serving, stopServing := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- wired.Run(background) }()
	go func() {
		defer stopBackground()
		ended <- wired.ServeOn(serving, listener, "")
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		stopServing()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Errorf("the node ended with %v", err)
		}
		wired.Close()
	}
	t.Cleanup(stop)
	return &testNode{apiClient: connect(t, publicURL), Node: wired, pool: pool}, stop
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// A stream's events are what a page has, byte for byte, with the cursor as their id; by it, a stream goes on where it broke off.
func TestChangeStream_SendsWhatAPageHasAndResumesByLastEventID(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	stream := n.stream("")
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := stream.header.Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	start := stream.begins()
	id := n.create(`{"name":"<Nosferatu>\n & \u2028","tags":["silent"],"client_data":{"z":"\r\n","a":1.50}}`)
	n.patch(id, `{"tags":[]}`)
	n.patch(id, `{"tags":["silent"]}`)
	told := []serverEvent{stream.change(), stream.change(), stream.change()}

	var page struct {
		Results []json.RawMessage
		Cursor  string
	}
	if err := json.Unmarshal(n.call(http.MethodGet, "/api/v1/changes?after="+start, "").expect(t, http.StatusOK).body, &page); err != nil {
		t.Fatal(err)
	}
	for i, e := range told {
		if e.data != string(page.Results[i]) || !strings.Contains(e.data, e.id) {
			t.Errorf("the stream sends %+v, the page %s", e, page.Results[i])
		}
	}
	if told[2].id != page.Cursor {
		t.Errorf("the last id is %s, the page's cursor %s", told[2].id, page.Cursor)
	}

	resumed := n.stream("?after="+start, "Last-Event-ID", told[0].id)
	if at := resumed.begins(); at != told[0].id {
		t.Errorf("resumes at %s, not at %s", at, told[0].id)
	}
	if a, b := resumed.change(), resumed.change(); a != told[1] || b != told[2] {
		t.Errorf("resumes with %+v and %+v", a, b)
	}
	filtered := n.stream("?tags=silent&after=" + start)
	filtered.begins()
	for i, want := range []string{"CREATED", "LEFT", "ENTERED"} {
		if e := filtered.change(); e.id != told[i].id || !strings.Contains(e.data, `"kind":"`+want+`"`) {
			t.Errorf("with a filter, got %+v, want %s", e, want)
		}
	}
}

// Content negotiation: an EventSource gets a stream, everyone else a page, a HEAD neither.
func TestChangeStream_IsForWhoAsksForIt(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for accept, want := range map[string]string{
		"text/event-stream":            "text/event-stream",
		"text/event-stream, */*;q=0.1": "text/event-stream",
		"text/*":                       "text/event-stream",
		"application/json;q=0.5, text/event-stream": "text/event-stream",
		"*/*":                                 "application/json",
		"application/json, text/event-stream": "application/json",
		"application/json":                    "application/json",
		"text/event-stream;q=0, */*":          "application/json",
		"":                                    "application/json",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, n.url+"/api/v1/changes", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(adminEmail, adminPassword)
		request.Header["Accept"] = []string{accept}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("Content-Type"); got != want {
			t.Errorf("%q gets %s, not %s", accept, got, want)
		}
	}
}

// What was filtered out is passed over for good: a quiet stream tells how far it has come, and then only that it lives. A long poll
// lasts beside it, for longer than an ordinary request may take to arrive.
func TestChangeStream_AQuietOneTellsHowFarItHasComeAndThatItLives(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	n := startNode(t)
	stream := n.stream("?tags=silent")
	start := stream.begins()
	n.create(`{"name":"Gilda"}`)
	present := n.settled(start, 1).Cursor
	polled := make(chan time.Duration, 1)
	go func() {
		began := time.Now()
		n.changes("?wait=32&after=" + present)
		polled <- time.Since(began)
	}()
	if e := next(t, stream.events); e.name != "checkpoint" || e.id != present {
		t.Errorf("got %+v, want a checkpoint at %s", e, present)
	}
	if e := next(t, stream.events); e.comment == "" || e.id != "" {
		t.Errorf("got %+v, want a comment", e)
	}
	if waited := next(t, polled); waited < 32*time.Second {
		t.Errorf("the poll was cut off after %s", waited)
	}
}

// Permissions are those of now: who loses items.view is sent nothing more, and told so.
func TestChangeStream_EndsWithThePermission(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ statement, code string }{
		"role":  {"UPDATE role SET permissions = ARRAY['api.access', 'items.create']", "FORBIDDEN"},
		"user":  {"UPDATE app_user SET active = false", "UNAUTHENTICATED"},
		"other": {"UPDATE app_user SET email = 'someone.else@example.com'", "UNAUTHENTICATED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := startNode(t)
			stream := n.stream("")
			stream.begins()
			if _, err := n.pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			if e := next(t, stream.events); e.name != "error" || e.id != "" || !strings.Contains(e.data, `"code":"`+c.code+`"`) {
				t.Errorf("got %+v, want the problem %s", e, c.code)
			}
			if err := next(t, stream.ended); err != nil {
				t.Errorf("ends with %v", err)
			}
		})
	}
}

// What a browser keeps open ends with its session, whatever ends that, and tells nothing more.
func TestChangeStream_EndsWithItsSession(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	viewer := n.roleNamed("Viewer")
	for name, end := range map[string]func(u *apiClient, browser *http.Client, id string){
		"signed out": func(_ *apiClient, browser *http.Client, _ string) {
			n.submit(browser, "/logout", nil)
		},
		"signed out everywhere": func(u *apiClient, _ *http.Client, _ string) {
			u.call(http.MethodDelete, "/api/v1/me/sessions", "").expect(t, http.StatusNoContent)
		},
		"disabled": func(_ *apiClient, _ *http.Client, id string) {
			n.call(http.MethodPatch, "/api/v1/users/"+id, `{"active":false}`).expect(t, http.StatusOK)
		},
		"deleted": func(_ *apiClient, _ *http.Client, id string) {
			n.call(http.MethodDelete, "/api/v1/users/"+id, "").expect(t, http.StatusNoContent)
		},
		"another password": func(_ *apiClient, _ *http.Client, id string) {
			n.call(http.MethodPatch, "/api/v1/users/"+id, `{"password":"a bicycle made of snow"}`).expect(t, http.StatusOK)
		},
	} {
		email := strings.ReplaceAll(name, " ", ".") + "@example.com"
		u := n.person(email, viewer)
		id := n.userID(email)
		browser := n.browser()
		n.signInAs(browser, email, userPassword)
		cookie := []string{"Authorization", "", "Cookie", n.cookies(browser)}
		stream := n.stream("", cookie...)
		cursor := stream.begins()
		subscription := n.streamOf(http.MethodPost, "/graphql", `{"query":"subscription { itemChanges { document } }"}`, cookie...)
		polled := make(chan answer, 1)
		go func() { polled <- n.call(http.MethodGet, "/api/v1/changes?wait=30&after="+cursor, "", cookie...) }()
		end(u, browser, id)
		for from, ended := range map[string]chan error{"the stream": stream.ended, "the subscription": subscription.ended} {
			if err := next(t, ended); err != nil {
				t.Errorf("%s: %s ends with %v", name, from, err)
			}
		}
		n.call(http.MethodPost, "/api/v1/items", `{"name":"Secret"}`).expect(t, http.StatusCreated)
		if got := next(t, polled); got.status != http.StatusUnauthorized {
			t.Errorf("%s: who waits is answered %d %s", name, got.status, got.body)
		}
		for len(stream.events) > 0 {
			if e := <-stream.events; e.name == "error" && !strings.Contains(e.data, "UNAUTHENTICATED") || strings.Contains(e.data, "Secret") {
				t.Errorf("%s: the stream told %+v", name, e)
			}
		}
	}
}

// A stream outlasts a database that is away for a moment.
func TestChangeStream_OutlastsLostDatabaseConnections(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	stream := n.stream("")
	stream.begins()
	const others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
	if _, err := n.pool.Exec(t.Context(), others); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); n.call(http.MethodPost, "/api/v1/items", `{"name":"Gilda"}`).status != http.StatusCreated; {
		if time.Now().After(deadline) {
			t.Fatal("no item can be made")
		}
	}
	if e := stream.change(); !strings.Contains(e.data, "Gilda") {
		t.Errorf("got %+v", e)
	}
}

// A server that shuts down ends its streams as complete answers, and answers who waits.
func TestChangeStream_EndsCleanlyWhenTheServerShutsDown(t *testing.T) {
	t.Parallel()
	n, stop := served(t, dbtest.New(t), listen(t, "127.0.0.1:0"))
	stream := n.stream("")
	cursor := stream.begins()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+"/api/v1/changes?wait=55&after="+cursor, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(adminEmail, adminPassword)
	waiting, polled := make(chan struct{}), make(chan string, 1)
	go func() {
		close(waiting)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			polled <- err.Error()
			return
		}
		body, err := io.ReadAll(response.Body)
		polled <- fmt.Sprint(response.StatusCode, " ", string(body), " ", err)
	}()
	<-waiting
	n.stream("").begins() // another request has come and gone: the poll is under way, or as good as
	stop()
	if err := next(t, stream.ended); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
	if answer := next(t, polled); !strings.HasPrefix(answer, `200 {"results":[],"cursor":"`+cursor) {
		t.Errorf("the poll is answered %s", answer)
	}
}

// watchedListener tells of the connections that the server has closed.
type watchedListener struct {
	net.Listener
	closed chan string
}

func (l *watchedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &watchedConn{Conn: conn, closed: l.closed}, err
}

type watchedConn struct {
	net.Conn
	closed chan string
}

func (c *watchedConn) Close() error {
	c.closed <- c.RemoteAddr().String()
	return c.Conn.Close()
}

// A client that stops reading is dropped, and costs the others nothing meanwhile.
func TestChangeStream_AStalledClientIsDroppedAndOthersGoOn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	closed := make(chan string, 1000)
	n, _ := served(t, dbtest.New(t), &watchedListener{listen(t, "127.0.0.1:0"), closed})

	stalled, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	_ = stalled.(*net.TCPConn).SetReadBuffer(4096)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+"/api/v1/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(adminEmail, adminPassword)
	request.Header.Set("Accept", "text/event-stream")
	if err := request.Write(stalled); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReaderSize(stalled, 16).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%s: %v", line, err)
	}

	healthy := n.stream("")
	healthy.begins()
	id := n.create(`{"name":"0"}`)
	healthy.change()
	const writes = 200 // of 60 kB: more than the kernel's buffers hold
	for i := range writes {
		n.patch(id, fmt.Sprintf(`{"name":"%d","client_data":{"long":%q}}`, i+1, strings.Repeat("x", 60_000)))
		if e := healthy.change(); !strings.Contains(e.data, fmt.Sprintf(`"revision":%d,`, i+2)) {
			t.Fatalf("change %d: got %.100s", i, e.data)
		}
	}
	for deadline := time.After(2 * patience); ; {
		select {
		case address := <-closed:
			if address == stalled.LocalAddr().String() {
				n.patch(id, `{"name":"after"}`)
				healthy.change()
				return
			}
		case <-deadline:
			t.Fatal("the stalled client is still held")
		}
	}
}

// The npm package eventsource, unmodified, over servers that come and go at one address: each change is told once and in order, those too
// that were made while there was no server, before the first that it got and after.
func TestChangeStream_TheNpmEventSourceLosesNothingOverRestarts(t *testing.T) {
	t.Parallel()
	losesNothingOverRestarts(t, "/api/v1/changes")
}

// losesNothingOverRestarts has the npm package eventsource follow what is at a path.
func losesNothingOverRestarts(t *testing.T, path string) {
	t.Helper()
	pool := dbtest.New(t)
	writer := startNodeOn(t, pool)
	listener := listen(t, "127.0.0.1:0")
	address := listener.Addr().String()
	_, stop := served(t, pool, listener)
	lines := client(t, "eventsource.mjs", "http://"+address+path, adminEmail+":"+adminPassword)
	expect := func(want string) {
		t.Helper()
		if got := string(next(t, lines)); got != want {
			t.Fatalf("the client tells %q, not %q", got, want)
		}
	}
	revision, id := 0, ""
	write := func() {
		if revision++; revision == 1 {
			id = writer.create(`{"name":"1"}`)
			return
		}
		writer.patch(id, fmt.Sprintf(`{"name":"%d"}`, revision))
	}

	expect("open")
	for told := 0; revision < 9; {
		stop()
		write()
		write()
		_, stop = served(t, pool, listen(t, address))
		expect("open")
		write()
		for told < revision {
			told++
			expect(fmt.Sprintf("%d", told))
		}
	}
}
