package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/contract"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/hook/egress"
	"itemcast/internal/node"
	"itemcast/openapi"
)

const (
	adminEmail    = "admin@example.com"
	adminPassword = "a password for tests"
	patience      = 20 * time.Second

	manyConnections = 1000
)

// testNode is a whole node, wired as serve wires it, over a database of its own. Its client holds every REST response against the contract.
type testNode struct {
	*apiClient
	*node.Node
	pool *pgxpool.Pool
}

func startNode(t *testing.T) *testNode {
	t.Helper()
	return startNodeOn(t, dbtest.New(t))
}

func startNodeOn(t *testing.T, pool *pgxpool.Pool) *testNode {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := account.Ensure(ctx, pool, adminEmail, adminPassword); err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(nil)
	url := "http://" + listener.Listener.Addr().String()
	n, err := node.New(ctx, pool, node.Config{PublicURL: url, ConnectionsPerUser: manyConnections, Log: log,
		HookReach: egress.Policy{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}})
	if err != nil {
		t.Fatal(err)
	}
	listener.Config.Handler = n.Handler()
	listener.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	listener.Start()
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		listener.Close()
		defer n.Close()
		if err := <-done; err != nil {
			t.Errorf("the node ended with %v", err)
		}
	})
	return &testNode{apiClient: connect(t, url), Node: n, pool: pool}
}

// Client calls a node as one user, or as nobody. It holds every REST response against the contract.
type apiClient struct {
	t             *testing.T
	url           string
	authorization string // the header
}

// Connect returns a client that calls the server at a URL as the first administrator.
func connect(t *testing.T, url string) *apiClient {
	return &apiClient{t: t, url: url, authorization: basic(adminEmail, adminPassword)}
}

// As returns a client that calls as another user.
func (n *apiClient) as(email, password string) *apiClient { return n.with(basic(email, password)) }

// With returns a client with another Authorization header; "" sends none.
func (n *apiClient) with(authorization string) *apiClient {
	other := *n
	other.authorization = authorization
	return &other
}

// apiRouter finds the operation of a request in the contract.
var apiRouter = sync.OnceValues(func() (routers.Router, error) {
	document, err := contract.Load(openapi.Files, "core.yaml")
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(document.Spec())
})

// openPool opens another pool on a test database, as another node would.
func openPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request as the administrator. The headers come in pairs.
func (n *apiClient) call(method, path, body string, header ...string) answer {
	n.t.Helper()
	request, err := http.NewRequestWithContext(n.t.Context(), method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if n.authorization != "" {
		request.Header.Set("Authorization", n.authorization)
	}
	switch {
	case body == "":
	case method == http.MethodPatch:
		request.Header.Set("Content-Type", "application/merge-patch+json")
	default:
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			request.Header.Del(header[i])
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header, body: raw}
	n.validate(request, got)
	return got
}

// validate holds a REST response against the contract: status, headers, and body.
func (n *apiClient) validate(request *http.Request, got answer) {
	n.t.Helper()
	if !strings.HasPrefix(request.URL.Path, "/api/v1/") || strings.Contains(request.URL.Path, "openapi") {
		return
	}
	local := request.Clone(context.Background())
	local.URL.Scheme, local.URL.Host, local.Host = "", "", ""
	router, err := apiRouter()
	if err != nil {
		n.t.Fatal(err)
	}
	route, parameters, err := router.FindRoute(local)
	if err != nil {
		if got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
			n.t.Errorf("%s %s is not in the contract and answers %d", request.Method, request.URL.Path, got.status)
		}
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: local, PathParams: parameters, Route: route},
		Status:                 got.status,
		Header:                 got.header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	input.SetBodyBytes(got.body)
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		n.t.Errorf("%s %s answers against the contract: %v\n%d %s", request.Method, request.URL.Path, err, got.status, got.body)
	}
}

func (a answer) expect(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	return a
}

// code is the problem's code of an error answer.
func (a answer) code(t *testing.T) string {
	t.Helper()
	var p struct{ Code string }
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return p.Code
}

// detail is what an error answer says to do.
func (a answer) detail(t *testing.T) string {
	t.Helper()
	var p struct{ Detail string }
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return p.Detail
}

// field is a member of an object answer, as text.
func (a answer) field(t *testing.T, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &members); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return strings.Trim(string(members[name]), `"`)
}

// graphql runs an operation that must succeed, and returns its data.
func (n *apiClient) graphql(query string, variables any) json.RawMessage {
	n.t.Helper()
	data, errs := n.tryGraphQL(query, variables)
	if errs != nil {
		n.t.Fatalf("%s: %s", query, errs)
	}
	return data
}

func (n *apiClient) tryGraphQL(query string, variables any) (data, errs json.RawMessage) {
	n.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		n.t.Fatal(err)
	}
	got := n.call(http.MethodPost, "/graphql", string(body))
	var response struct{ Data, Errors json.RawMessage }
	if err := json.Unmarshal(got.body, &response); err != nil {
		n.t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return response.Data, response.Errors
}

// socket is a connection that speaks graphql-transport-ws, frame by frame.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func (n *apiClient) dial() *socket {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, strings.Replace(n.url, "http", "ws", 1)+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		n.t.Fatal(err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	conn.SetReadLimit(1 << 20)
	n.t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{t: n.t, conn: conn}
}

// subscribe opens a connection and starts one subscription on it.
func (n *apiClient) subscribe(query string, variables any) *socket {
	n.t.Helper()
	s := n.dial()
	s.send(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": n.authorization}})
	if kind, _ := s.receive(); kind != "connection_ack" {
		n.t.Fatalf("got %s, want connection_ack", kind)
	}
	s.send(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": query, "variables": variables}})
	return s
}

func (s *socket) send(message any) {
	s.t.Helper()
	raw, err := json.Marshal(message)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.conn.Write(s.t.Context(), websocket.MessageText, raw); err != nil {
		s.t.Fatal(err)
	}
}

// receive returns the next message that is no ping, its payload byte for byte. Pings it answers, as every client does.
func (s *socket) receive() (kind string, payload json.RawMessage) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		_, raw, err := s.conn.Read(ctx)
		if err != nil {
			s.t.Fatalf("read from the socket: %v", err)
		}
		var message struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(raw, &message); err != nil {
			s.t.Fatal(err)
		}
		switch message.Type {
		case "ping":
			s.send(map[string]string{"type": "pong"})
		case "pong":
		default:
			return message.Type, message.Payload
		}
	}
}

// event is an itemChanges event; Document is byte for byte.
type event struct {
	Cursor   string
	Kind     string
	Revision int64
	Document json.RawMessage
}

func (s *socket) event() event {
	s.t.Helper()
	kind, payload := s.receive()
	var response struct {
		Data   struct{ ItemChanges event }
		Errors json.RawMessage
	}
	if err := json.Unmarshal(payload, &response); err != nil || kind != "next" || response.Errors != nil {
		s.t.Fatalf("got %s %s, want an event", kind, payload)
	}
	return response.Data.ItemChanges
}

// delivery is what a receiver got.
type delivery struct {
	header http.Header
	body   []byte
}

// receiver is a real HTTP server that hooks post to.
func receiver(t *testing.T) (url string, deliveries <-chan delivery) {
	t.Helper()
	received := make(chan delivery, 10_000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		received <- delivery{header: r.Header.Clone(), body: body}
	}))
	t.Cleanup(server.Close)
	return server.URL, received
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimRight(p, "\n"))
	return len(p), nil
}
