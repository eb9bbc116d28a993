package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"itemcast/internal/db/dbtest"
)

// metric is what the node tells operators of its subscribers.
func (n *testNode) metric(name string) float64 {
	n.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(n.Hub)
	families, err := registry.Gather()
	if err != nil {
		n.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			one := family.GetMetric()[0]
			return one.GetGauge().GetValue() + one.GetCounter().GetValue()
		}
	}
	n.t.Fatalf("there is no %s", name)
	return 0
}

func (n *apiClient) eventually(what string, done func() bool) {
	n.t.Helper()
	n.eventuallyWithin(patience, what, done)
}

func (n *apiClient) eventuallyWithin(limit time.Duration, what string, done func() bool) {
	n.t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			n.t.Fatalf("it never came to this: %s", what)
		}
	}
}

// However many follow with one query, each from a cursor of its own, over whatever transport, a change is rendered once for them.
func TestSubscription_IsRenderedOnceForAllWhoFollowIt(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	start := n.Hub.Present()
	var all []*socket
	for range 20 {
		all = append(all, n.subscribe(follow, vars{"after": start}), n.subscribe(follow, vars{"after": n.Hub.Present()}))
	}
	other := n.subscribe(strings.Replace(follow, "cursor", "cursor more: cursor", 1), nil)
	n.eventually("all follow", func() bool { return n.metric("itemcast_live_followers") == 41 })
	made := n.call(http.MethodPost, "/api/v1/items", `{"name":"a"}`).expect(t, http.StatusCreated)
	for _, s := range append(all, other) {
		if got := s.event(); string(got.Document) != string(made.body) {
			t.Errorf("got %s", got.Document)
		}
	}
	if streams, rendered := n.metric("itemcast_live_streams"), n.metric("itemcast_live_messages_rendered_total"); streams != 2 || rendered != 2 {
		t.Errorf("%v streams have rendered %v messages", streams, rendered)
	}
	for _, s := range append(all, other) {
		_ = s.conn.CloseNow()
	}
	n.eventually("nothing is left", func() bool {
		return n.metric("itemcast_live_streams") == 0 && n.metric("itemcast_live_connections") == 0
	})
}

// What differs is not shared: variables, permissions.
func TestSubscription_IsNotSharedByWhoAskForOrMaySeeOtherThings(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	const tagged = `subscription ($tags: [String!]) { itemChanges(filter: {tags: $tags}) { cursor kind revision document } }`
	news, sport := n.subscribe(tagged, vars{"tags": []string{"news"}}), n.subscribe(tagged, vars{"tags": []string{"sport"}})
	n.eventually("both follow", func() bool { return n.metric("itemcast_live_followers") == 2 })
	n.create(`{"name":"a","tags":["sport"]}`)
	n.create(`{"name":"b","tags":["news"]}`)
	if got := news.event(); !strings.Contains(string(got.Document), `"name":"b"`) {
		t.Errorf("news got %s", got.Document)
	}
	if got := sport.event(); !strings.Contains(string(got.Document), `"name":"a"`) {
		t.Errorf("sport got %s", got.Document)
	}
}

// An error in one field of an event is told to all, beside the rest of the event, as gqlgen tells it.
func TestSubscription_KeepsAliasesFragmentsAndDirectives(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.subscribe(`subscription S($no: Boolean!) { changed: itemChanges { ...C item { title: name } skipped: revision @skip(if: $no) } }
		fragment C on ItemChange { kind revision @include(if: $no) ... on ItemChange { item { tags } } actor { name } }`, vars{"no": true})
	n.eventually("it follows", func() bool { return n.metric("itemcast_live_followers") == 1 })
	n.create(`{"name":"a","tags":["t"]}`)
	if kind, payload := s.receive(); kind != "next" ||
		string(payload) != `{"data":{"changed":{"kind":"CREATED","revision":1,"item":{"tags":["t"],"title":"a"},"actor":{"name":"Administrator"}}}}` {
		t.Errorf("got %s %s", kind, payload)
	}
}

func TestSocket_RunsAsManyOperationsAsMayRun(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	s := n.initialised()
	for id := range 101 {
		s.send(subscribeFrame(fmt.Sprint(id), nil))
	}
	if kind, payload := s.receive(); kind != "error" || !strings.Contains(string(payload), `"TOO_MANY_REQUESTS"`) {
		t.Errorf("got %s %s", kind, payload)
	}
	s.send(frame{"type": "complete", "id": "0"})
	s.send(subscribeFrame("100", nil))
	n.eventually("a hundred run", func() bool { return n.metric("itemcast_live_followers") == 100 })
	n.create(`{"name":"a"}`)
	for range 100 {
		s.event()
	}
}

func TestSocket_AUserKeepsAsManyConnectionsAsOneMay(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	actor, err := n.SignIn.Basic(t.Context(), adminEmail, adminPassword)
	if err != nil {
		t.Fatal(err)
	}
	for range manyConnections - 1 {
		if _, err := n.Hub.Admit(actor); err != nil {
			t.Fatal(err)
		}
	}
	last := n.initialised()
	s := n.dial()
	s.send(frame{"type": "connection_init", "payload": frame{"authorization": basic(adminEmail, adminPassword)}})
	if code, _ := s.closed(); code != 1013 {
		t.Errorf("one more is closed with %d", code)
	}
	for _, path := range []string{"/api/v1/changes", "/graphql?query=subscription{itemChanges{cursor}}"} {
		if got := n.call(http.MethodGet, path, "", "Accept", "text/event-stream"); got.status != http.StatusTooManyRequests {
			t.Errorf("%s answers %d %s", path, got.status, got.body)
		}
	}
	_ = last.conn.CloseNow()
	n.eventually("one may come", func() bool { return n.metric("itemcast_live_connections") == manyConnections-1 })
	n.initialised()
}

func TestSocket_AnotherOriginsPageIsRefused(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	for origin, want := range map[string]int{"https://evil.example": 403, "null": 403, n.url: 101, "": 101} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		conn, response, err := websocket.Dial(t.Context(), strings.Replace(n.url, "http", "ws", 1)+"/graphql",
			&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header})
		if response == nil || response.StatusCode != want {
			t.Errorf("%q: %v, want %d", origin, err, want)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
	}
}

// A server that shuts down answers what it was asked, tells everybody to come again, and waits for nobody.
func TestSocket_DrainsWhenTheServerShutsDown(t *testing.T) {
	t.Parallel()
	n, stop := served(t, dbtest.New(t), listen(t, "127.0.0.1:0"))
	id := n.create(`{"name":"a"}`)
	follower, busy := n.subscribe(follow, nil), n.initialised()
	tx, err := n.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), "SELECT FROM item FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	busy.send(frame{"type": "subscribe", "id": "1", "payload": frame{"query": `mutation ($id: ID!) { updateItem(id: $id, input: {name: "b"}) { item { name } } }`,
		"variables": vars{"id": id}}})
	n.eventually("the mutation waits", func() bool {
		var waits bool
		if err := n.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&waits); err != nil {
			t.Fatal(err)
		}
		return waits
	})
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	if code, _ := follower.closed(); code != 1001 {
		t.Errorf("the follower is closed with %d", code)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kind, payload := busy.receive(); kind != "next" || !strings.Contains(string(payload), `"name":"b"`) {
		t.Errorf("got %s %s", kind, payload)
	}
	if code, _ := busy.closed(); code != 1001 {
		t.Errorf("closed with %d", code)
	}
	next(t, stopped)
}

// rawSocket shakes hands, signs in and subscribes, by hand.
func (n *testNode) rawSocket() net.Conn {
	n.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := fmt.Fprintf(conn, "GET /graphql HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n", strings.TrimPrefix(n.url, "http://")); err != nil {
		n.t.Fatal(err)
	}
	for _, message := range []any{
		frame{"type": "connection_init", "payload": frame{"authorization": basic(adminEmail, adminPassword)}}, subscribeFrame("1", nil),
	} {
		raw, err := json.Marshal(message)
		if err != nil {
			n.t.Fatal(err)
		}
		head := []byte{0x81, 0x80 | 126, byte(len(raw) >> 8), byte(len(raw)), 0, 0, 0, 0} // masked with zeros
		if _, err := conn.Write(append(head, raw...)); err != nil {
			n.t.Fatal(err)
		}
	}
	if line, err := bufio.NewReaderSize(conn, 16).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		n.t.Fatalf("%s: %v", line, err)
	}
	return conn
}

// A client that stops reading is dropped, and costs the others nothing meanwhile; nor does it cost the server anything afterwards.
func TestSocket_AStalledClientIsDroppedAndOthersGoOn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	n := startNode(t)
	n.rawSocket()
	healthy := n.subscribe(follow, nil)
	n.eventually("both follow", func() bool { return n.metric("itemcast_live_followers") == 2 })
	id := n.create(`{"name":"0"}`)
	healthy.event()
	for i := range 200 { // of 60 kB: more than the kernel's buffers hold
		n.patch(id, fmt.Sprintf(`{"name":"%d","client_data":{"long":%q}}`, i+1, strings.Repeat("x", 60_000)))
		if got := healthy.event(); got.Revision != int64(i+2) {
			t.Fatalf("got %d, want %d", got.Revision, i+2)
		}
	}
	n.eventuallyWithin(2*patience, "the stalled client is gone", func() bool { return n.metric("itemcast_live_connections") == 1 })
	n.patch(id, `{"name":"after"}`)
	healthy.event()
	if followers, behind := n.metric("itemcast_live_followers"), n.metric("itemcast_live_followers_behind"); followers != 1 || behind != 0 {
		t.Errorf("%v follow, %v behind", followers, behind)
	}
}

// A peer that is silent is gone within two pings.
func TestSocket_ADeadPeerIsGoneWithinTwoPings(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	n := startNode(t)
	n.rawSocket()
	alive := n.initialised()
	n.eventually("both are connected", func() bool { return n.metric("itemcast_live_connections") == 2 })
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for range 2 {
			alive.awaitWithin(2*patience, "ping") // the server waits for as long as patience lasts
			alive.send(frame{"type": "pong"})
		}
	}()
	n.eventuallyWithin(45*time.Second, "the silent one is gone", func() bool { return n.metric("itemcast_live_connections") == 1 })
	<-answered
}

// Permissions are those of now, on every node, for whoever follows over whatever transport.
func TestSubscription_EndsOrNarrowsWithThePermissionsOnEveryNode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		statement string
		closed    int
	}{
		"switched off":     {"UPDATE app_user SET active = false", 4403},
		"no api.access":    {"UPDATE role SET permissions = ARRAY['items.view']", 4403},
		"less than before": {"UPDATE role SET permissions = ARRAY['api.access', 'items.view']", 1001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.URL(t)
			nodes := []*testNode{startNodeOn(t, openPool(t, url)), startNodeOn(t, openPool(t, url))}
			var all []*socket
			for _, n := range nodes {
				all = append(all, n.subscribe(follow, nil), n.initialised())
			}
			began := time.Now()
			if _, err := nodes[0].pool.Exec(t.Context(), c.statement); err != nil {
				t.Fatal(err)
			}
			for i, s := range all {
				if code, _ := s.closed(); code != c.closed {
					t.Errorf("socket %d is closed with %d, want %d", i, code, c.closed)
				}
			}
			t.Logf("after %s", time.Since(began))
			for _, n := range nodes {
				n.eventually("nobody follows", func() bool { return n.metric("itemcast_live_followers") == 0 })
			}
		})
	}
}

// A stranger may say who it is, and little more; who has signed in may not have the server carry anything along either.
func TestSocket_TakesNoMoreThanItNeeds(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	stranger := n.dial()
	stranger.send(frame{"type": "connection_init", "payload": frame{"long": strings.Repeat("x", 20<<10)}})
	if code, _ := stranger.closed(); code != 1009 {
		t.Errorf("a long connection_init is closed with %d", code)
	}
	s := n.initialised()
	s.send(frame{"type": "subscribe", "id": "1", "payload": frame{"query": follow, "variables": frame{"carried": strings.Repeat("x", 70<<10)}}})
	if kind, payload := s.receive(); kind != "error" || !strings.Contains(string(payload), `"TOO_LARGE"`) {
		t.Errorf("got %s %s", kind, payload)
	}
	s.send(subscribeFrame(strings.Repeat("x", 300), nil))
	if code, _ := s.closed(); code != 4400 {
		t.Errorf("a long id is closed with %d", code)
	}
}

// A query that came as a hash is followed by its text: the hash may be forgotten when the subscription has to be opened again.
func TestSubscription_OutlivesItsPersistedQuery(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	sum := sha256.Sum256([]byte(follow))
	persisted := frame{"persistedQuery": frame{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}
	s := n.initialised()
	start := n.Hub.Present()
	s.send(frame{"type": "subscribe", "id": "1", "payload": frame{"query": follow, "extensions": persisted}})
	n.eventually("it follows", func() bool { return n.metric("itemcast_live_followers") == 1 })
	s.send(frame{"type": "complete", "id": "1"})
	id := n.create(`{"name":"0"}`)
	for i := range 600 { // more than a new stream reaches back
		n.patch(id, fmt.Sprintf(`{"name":"%d"}`, i+1))
	}
	s.send(frame{"type": "subscribe", "id": "2", "payload": frame{"variables": vars{"after": start}, "extensions": persisted}})
	for revision := range int64(601) {
		if got := s.event(); got.Revision != revision+1 {
			t.Fatalf("got %d, want %d", got.Revision, revision+1)
		}
	}
	n.patch(id, `{"name":"last"}`)
	if got := s.event(); got.Revision != 602 {
		t.Errorf("then %d", got.Revision)
	}
}
