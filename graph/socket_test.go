package graph_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
)

func TestSocket_LimitsOperations(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	s := n.DialSignedIn()
	for id := range 101 {
		s.Send(nodetest.SubscribeFrame(fmt.Sprint(id), nil))
	}
	if kind, payload := s.Receive(); kind != "error" || !strings.Contains(string(payload), `"TOO_MANY_REQUESTS"`) {
		t.Errorf("got %s %s", kind, payload)
	}
	s.Send(nodetest.Frame{"type": "complete", "id": "0"})
	s.Send(nodetest.SubscribeFrame("100", nil))
	nodetest.Eventually(t, "a hundred run", func() bool { return n.Metric("itemcast_live_followers") == 100 })
	n.CreateItem(`{"name":"a"}`)
	for range 100 {
		s.ReceiveEvent()
	}
}

func TestSocket_LimitsConnectionsOfAUser(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	actor, err := n.SignIn.Basic(t.Context(), nodetest.AdminEmail, nodetest.AdminPassword)
	if err != nil {
		t.Fatal(err)
	}
	var release func()
	for range nodetest.ConnectionsPerUser - 1 {
		if release, err = n.Hub.Admit(actor); err != nil {
			t.Fatal(err)
		}
	}
	last := n.DialSignedIn()
	s := n.Dial()
	s.Send(nodetest.Frame{"type": "connection_init",
		"payload": nodetest.Frame{"authorization": nodetest.BasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)}})
	if code, _ := s.AwaitClose(); code != 1013 {
		t.Errorf("one more is closed with %d", code)
	}
	// An EventSource would give up for good at a 429, so its stream waits.
	streams := []string{"/api/v1/changes", "/graphql?query=subscription{itemChanges{cursor}}"}
	begun := make(chan *http.Response, len(streams))
	for _, path := range streams {
		opened := n.OpenStream(http.MethodGet, path, "")
		go func() { begun <- <-opened }()
		n.AwaitHandler(path, "sse.(*held).pause")
	}
	for _, free := range []func(){release, func() { _ = last.Conn.CloseNow() }} {
		free()
		if got := nodetest.Next(t, begun); got == nil || got.StatusCode != http.StatusOK {
			t.Errorf("a stream begins with %+v", got)
		}
	}
}

func TestSocket_AnotherOriginsPageIsRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for origin, want := range map[string]int{"https://evil.example": 403, "null": 403, n.URL: 101, "": 101} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		conn, response, err := websocket.Dial(t.Context(), strings.Replace(n.URL, "http", "ws", 1)+"/graphql",
			&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
		if response == nil || response.StatusCode != want {
			t.Errorf("%q: %v, want %d", origin, err, want)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
	}
}

// A server that shuts down answers running operations and closes the connections so that clients reconnect.
func TestSocket_DrainsWhenTheServerShutsDown(t *testing.T) {
	t.Parallel()
	n, stop := nodetest.Serve(t, dbtest.New(t), nodetest.Listen(t, "127.0.0.1:0"))
	id := n.CreateItem(`{"name":"a"}`)
	follower, busy := n.Subscribe(nodetest.FollowQuery, nil), n.DialSignedIn()
	tx, err := n.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), "SELECT FROM item FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	busy.Send(nodetest.Frame{"type": "subscribe", "id": "1",
		"payload": nodetest.Frame{"query": `mutation ($id: ID!) { updateItem(id: $id, input: {name: "b"}) { item { name } } }`,
			"variables": nodetest.Vars{"id": id}}})
	nodetest.Eventually(t, "the mutation waits", func() bool {
		var waits bool
		if err := n.Pool.QueryRow(t.Context(),
			"SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid)))",
			tx.Conn().PgConn().PID()).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	if code, _ := follower.AwaitClose(); code != 1001 {
		t.Errorf("the follower is closed with %d", code)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kind, payload := busy.Receive(); kind != "next" || !strings.Contains(string(payload), `"name":"b"`) {
		t.Errorf("got %s %s", kind, payload)
	}
	if code, _ := busy.AwaitClose(); code != 1001 {
		t.Errorf("closed with %d", code)
	}
	nodetest.Next(t, stopped)
}

// rawSocket opens a WebSocket without a library, signs in and subscribes.
func rawSocket(n *nodetest.Node) net.Conn {
	n.T.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
	if err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := fmt.Fprintf(conn,
		"GET /graphql HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
		strings.TrimPrefix(n.URL, "http://")); err != nil {
		n.T.Fatal(err)
	}
	for _, message := range []any{
		nodetest.Frame{"type": "connection_init",
			"payload": nodetest.Frame{"authorization": nodetest.BasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)}},
		nodetest.SubscribeFrame("1", nil),
	} {
		raw, err := json.Marshal(message)
		if err != nil {
			n.T.Fatal(err)
		}
		head := []byte{0x81, 0x80 | 126, byte(len(raw) >> 8), byte(len(raw)), 0, 0, 0, 0} // masked with zeros
		if _, err := conn.Write(append(head, raw...)); err != nil {
			n.T.Fatal(err)
		}
	}
	if line, err := bufio.NewReaderSize(conn, 16).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		n.T.Fatalf("%s: %v", line, err)
	}
	return conn
}

// A client that stops reading is disconnected, and leaves nothing behind. It does not delay the others meanwhile.
func TestSocket_DropsAStalledClientAndServesTheOthers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	n := nodetest.Start(t)
	rawSocket(n)
	healthy := n.Subscribe(nodetest.FollowQuery, nil)
	nodetest.Eventually(t, "both follow", func() bool { return n.Metric("itemcast_live_followers") == 2 })
	id := n.CreateItem(`{"name":"0"}`)
	healthy.ReceiveEvent()
	for i := range 200 { // of 60 kB: together more than the kernel's buffers hold
		n.PatchItem(id, fmt.Sprintf(`{"name":"%d","client_data":{"long":%q}}`, i+1, strings.Repeat("x", 60_000)))
		if got := healthy.ReceiveEvent(); got.Revision != int64(i+2) {
			t.Fatalf("got %d, want %d", got.Revision, i+2)
		}
	}
	nodetest.EventuallyWithin(t, 40*time.Second, "the stalled client is gone",
		func() bool { return n.Metric("itemcast_live_connections") == 1 })
	n.PatchItem(id, `{"name":"after"}`)
	healthy.ReceiveEvent()
	if followers, behind := n.Metric("itemcast_live_followers"),
		n.Metric("itemcast_live_followers_behind"); followers != 1 || behind != 0 {
		t.Errorf("%v follow, %v behind", followers, behind)
	}
}

func TestSocket_ASilentPeerIsDisconnectedWithinTwoPings(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	n := nodetest.Start(t)
	rawSocket(n)
	alive := n.DialSignedIn()
	nodetest.Eventually(t, "both are connected", func() bool { return n.Metric("itemcast_live_connections") == 2 })
	nodetest.EventuallyWithin(t, 45*time.Second, "the silent peer is disconnected",
		func() bool { return n.Metric("itemcast_live_connections") == 1 })
	alive.Sync()
}

func TestSocket_LimitsTheSizeOfMessages(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	stranger := n.Dial()
	stranger.Send(nodetest.Frame{"type": "connection_init",
		"payload": nodetest.Frame{"long": strings.Repeat("x", 20<<10)}})
	if code, _ := stranger.AwaitClose(); code != 1009 {
		t.Errorf("a long connection_init is closed with %d", code)
	}
	s := n.DialSignedIn()
	s.Send(nodetest.Frame{"type": "subscribe", "id": "1",
		"payload": nodetest.Frame{"query": nodetest.FollowQuery, "variables": nodetest.Frame{"unused": strings.Repeat("x", 70<<10)}}})
	if kind, payload := s.Receive(); kind != "error" || !strings.Contains(string(payload), `"TOO_LARGE"`) {
		t.Errorf("got %s %s", kind, payload)
	}
	s.Send(nodetest.SubscribeFrame(strings.Repeat("x", 300), nil))
	if code, _ := s.AwaitClose(); code != 4400 {
		t.Errorf("a long id is closed with %d", code)
	}
}

// Nothing is parsed before the client has signed in.
func TestSocket_WithoutCredentialsIsClosed(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	s := n.Dial()
	s.Send(map[string]any{"type": "connection_init"})
	if code, _ := s.AwaitClose(); code != 4401 {
		t.Errorf("closed with %d", code)
	}
}

func TestSocket_EndsWithItsUsersPermissions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		code      int
	}{
		"user":    {"UPDATE app_user SET active = false", 4401},
		"access":  {"UPDATE role SET permissions = ARRAY['items.view']", 4401},
		"address": {"UPDATE app_user SET email = 'someone.else@example.com'", 4401},
		"role":    {"UPDATE role SET permissions = ARRAY['api.access', 'items.create']", 1001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t)
			s := n.Subscribe(nodetest.FollowQuery, nil)
			if _, err := n.Pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			if code, _ := s.AwaitClose(); code != c.code {
				t.Errorf("closed with %d, want %d", code, c.code)
			}
		})
	}
}
