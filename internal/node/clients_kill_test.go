package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
	"itemcast/internal/soak"
)

// ownRetries is the number of attempts in a row after which graphql-ws and graphql-sse give up, unless configured.
const ownRetries = "--retries=5"

// A node and its Postgres are killed in turn while items change. Each client follows through all of it without help,
// and receives each change once, in the order of the log. When Postgres is killed, the clients lose their connections
// too, and Postgres stays away until each has tried to reconnect.
func TestClients_OutliveKilledNodesAndAKilledPostgres(t *testing.T) {
	t.Parallel()
	postgres := dbtest.Cluster(t, map[string]string{"synchronous_commit": "on"})
	database, err := url.Parse(postgres.URL())
	if err != nil {
		t.Fatal(err)
	}
	toDatabase := cuttableToAddress(t, database.Host)
	database.Host = toDatabase.url
	address := porttest.Reserve(t)
	environment := []string{
		"ITEMCAST_ADDR=" + address, "ITEMCAST_PUBLIC_URL=https://items.example", "ITEMCAST_DATABASE_URL=" + database.String(),
		"ITEMCAST_ADMIN_EMAIL=" + nodetest.AdminEmail, "ITEMCAST_ADMIN_PASSWORD=" + nodetest.AdminPassword,
	}
	var node crashNode
	node.start(t, environment)
	begin := nodetest.Connect(t, node.url()).Call(http.MethodGet, "/api/v1/changes", "").
		WantStatus(t, http.StatusOK).Field(t, "cursor")
	clients := followersOf(t, "http://"+address, begin)

	writing, stop := context.WithCancel(t.Context())
	defer stop()
	w := crashWriter{nodes: &[2]crashNode{}, acknowledged: &atomic.Int64{}}
	for i := range w.nodes {
		w.nodes[i].at.Store(node.url())
	}
	written := make(chan error, 1)
	go func() { written <- changeItems(t.Context(), writing, &w) }()

	awaitAll(clients, 10)
	for round := range soak.Times(2, 20) {
		t.Logf("round %d: the node is killed after %d changes", round, w.acknowledged.Load())
		node.Kill()
		node.start(t, environment)
		awaitAll(clients, 10)

		t.Logf("round %d: Postgres is killed after %d changes", round, w.acknowledged.Load())
		toDatabase.setDown(true)
		killPostgres(t, postgres.URL())
		for _, c := range clients {
			c.reconnects(t)
		}
		toDatabase.setDown(false)
		awaitAll(clients, 10)
	}
	stop()
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	log := node.log(t, begin, int(w.acknowledged.Load()))
	for _, c := range clients {
		c.wantLog(log)
	}
}

// changeItems changes a few items in turn until writing ends.
func changeItems(ctx, writing context.Context, w *crashWriter) error {
	var items [5]struct{ ID string }
	for i := range items {
		made, err := w.call(ctx, http.MethodPost, "/api/v1/items", fmt.Sprintf(`{"name":"item %d"}`, i), http.StatusCreated)
		if err == nil {
			err = json.Unmarshal(made, &items[i])
		}
		if err != nil {
			return err
		}
	}
	for take := 0; writing.Err() == nil; take++ {
		path, body := "/api/v1/items/"+items[take%len(items)].ID, fmt.Sprintf(`{"name":"take %d"}`, take)
		if _, err := w.call(ctx, http.MethodPatch, path, body, http.StatusOK); err != nil {
			return err
		}
		pause(ctx) // the clients print each change
	}
	return nil
}

// following is a client that follows the log as a process, through a proxy of its own.
type following struct {
	t    *testing.T
	name string
	way  *cuttable
	// What identifies a change in the client's output, "" for other output, and in the log.
	inOutput func(line json.RawMessage) string
	inLog    func(nodetest.Event) string

	mu       sync.Mutex
	received []string
	added    chan struct{} // closed and replaced with each
}

// followersOf starts each of the public clients with its own defaults.
func followersOf(t *testing.T, url, begin string) []*following {
	t.Helper()
	cursor := func(e nodetest.Event) string { return e.Cursor }
	printed := func(line json.RawMessage) string { // "REVISION CURSOR"
		_, cursor, _ := strings.Cut(string(line), " ")
		return cursor
	}
	event := func(line json.RawMessage) string {
		var s said
		if err := json.Unmarshal(line, &s); err != nil || s.Event == nil {
			return ""
		}
		return s.Event.Cursor
	}
	start := func(f *following, args func(url string) []string) *following {
		f.t, f.way, f.added = t, cuttableTo(t, url), make(chan struct{})
		all := args(f.way.url)
		go f.read(example(t, all[0], all[1:]...))
		return f
	}
	subscription := "/graphql?query=subscription($after:Cursor){itemChanges(after:$after){document}}&variables=" +
		`{"after":"` + begin + `"}`
	return []*following{
		start(&following{name: "eventsource", inOutput: printed, inLog: cursor}, func(url string) []string {
			return []string{"subscribers/eventsource.mjs", url + "/api/v1/changes?after=" + begin, adminCredentials}
		}),
		start(&following{name: "eventsource over GraphQL", inOutput: printed, inLog: cursor}, func(url string) []string {
			return []string{"subscribers/eventsource.mjs", url + subscription, adminCredentials}
		}),
		start(&following{name: "graphql-ws", inOutput: event, inLog: cursor}, func(url string) []string {
			return []string{string(overWebSocket), url, adminCredentials, "--after=" + begin, ownRetries}
		}),
		start(&following{name: "graphql-ws with credentials in its handshake", inOutput: event, inLog: cursor},
			func(url string) []string {
				return []string{string(overWebSocket), url, adminCredentials, "--after=" + begin, ownRetries, "--credentials=header"}
			}),
		start(&following{name: "graphql-sse", inOutput: event, inLog: cursor}, func(url string) []string {
			return []string{string(overEvents), url, adminCredentials, "--after=" + begin, ownRetries}
		}),
		start(&following{name: "long poll", inOutput: inMirror, inLog: func(e nodetest.Event) string {
			id, _ := identity(t, e.Document)
			return fmt.Sprintf("%s %s %d", e.Kind, id, e.Revision)
		}}, func(url string) []string {
			file := filepath.Join(t.TempDir(), "items.json")
			if err := os.WriteFile(file, []byte(`{"cursor":"`+begin+`","items":{}}`), 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"subscribers/mirror.mjs", url, adminCredentials, file}
		}),
	}
}

// inMirror identifies a change in the output of the mirror.
func inMirror(line json.RawMessage) string {
	var printed struct {
		Kind, ID string
		Revision int64
	}
	if err := json.Unmarshal(line, &printed); err != nil || printed.ID == "" {
		return ""
	}
	return fmt.Sprintf("%s %s %d", printed.Kind, printed.ID, printed.Revision)
}

// read takes what the client prints until it ends.
func (f *following) read(lines <-chan json.RawMessage) {
	for line := range lines {
		id := f.inOutput(line)
		if id == "" {
			continue
		}
		f.mu.Lock()
		f.received = append(f.received, id)
		close(f.added)
		f.added = make(chan struct{})
		f.mu.Unlock()
	}
	if f.t.Context().Err() == nil {
		f.t.Errorf("%s has given up", f.name)
	}
}

func (f *following) count() (n int, added <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.received), f.added
}

// await waits until the client has received a number of changes.
func (f *following) await(changes int) {
	f.t.Helper()
	for end := time.After(takeoverTimeout); ; {
		n, added := f.count()
		if n >= changes {
			return
		}
		select {
		case <-added:
		case <-end:
			f.t.Fatalf("%s has received %d changes, want %d", f.name, n, changes)
		}
	}
}

// awaitAll waits until each client has received more changes than now.
func awaitAll(clients []*following, more int) {
	wanted := make([]int, len(clients))
	for i, c := range clients {
		wanted[i], _ = c.count()
	}
	for i, c := range clients {
		c.t.Helper()
		c.await(wanted[i] + more)
	}
}

// reconnects cuts the client's connection, and waits until the client has opened another.
func (f *following) reconnects(t *testing.T) {
	t.Helper()
	before := f.way.cut()
	nodetest.EventuallyWithin(t, takeoverTimeout, f.name+" reconnects", func() bool { return f.way.accepted() > before })
}

// wantLog fails the test unless the client has received the log.
func (f *following) wantLog(log []nodetest.Event) {
	f.t.Helper()
	f.await(len(log))
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, e := range log {
		if want := f.inLog(e); f.received[i] != want {
			f.t.Fatalf("%s: change %d is %s, want %s", f.name, i, f.received[i], want)
		}
	}
	if len(f.received) != len(log) {
		f.t.Errorf("%s has received %d changes, and the log has %d", f.name, len(f.received), len(log))
	}
	f.t.Logf("%s has received %d changes", f.name, len(f.received))
}
