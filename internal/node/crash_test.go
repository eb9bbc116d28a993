package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
)

// takeoverTimeout allows for another node to take over the deliveries that a killed node had claimed.
const takeoverTimeout = 90 * time.Second

// Nodes, each a process, and their Postgres are killed in turn while clients write and retry. Every change in the log
// is delivered, an item's changes in order, and repeated deliveries are equal.
func TestHooks_KilledNodesAndAKilledPostgresLoseAndReorderNothing(t *testing.T) {
	t.Parallel()
	postgres := dbtest.Cluster(t, map[string]string{"synchronous_commit": "on"})
	environment := []string{
		"ITEMCAST_DATABASE_URL=" + postgres.URL(), "ITEMCAST_PUBLIC_URL=https://items.example", "ITEMCAST_ADMIN_EMAIL=" +
			nodetest.AdminEmail,
		"ITEMCAST_ADMIN_PASSWORD=" + nodetest.AdminPassword, "ITEMCAST_HOOK_ALLOW_NETWORKS=127.0.0.0/8",
	}
	var nodes [2]crashNode
	for k := range nodes {
		nodes[k].start(t, environment)
	}
	received := newLedger(t)
	nodetest.Connect(t, nodes[0].url()).Call(http.MethodPost, "/api/v1/hooks",
		`{"url":"`+received.url+`","events":["item.created","item.updated","item.deleted"]}`).
		WantStatus(t, http.StatusCreated)
	begin := nodetest.Connect(t, nodes[0].url()).Call(http.MethodGet, "/api/v1/changes", "").WantStatus(t, http.StatusOK).
		Field(t, "cursor")

	writing, stop := context.WithCancel(t.Context())
	defer stop()
	writers, failed := errgroup.WithContext(t.Context())
	var acknowledged atomic.Int64
	for n := range 3 {
		w := crashWriter{nodes: &nodes, n: n, acknowledged: &acknowledged}
		writers.Go(func() error { return w.write(failed, writing) })
	}

	victims := []struct {
		name string
		kill func()
	}{
		{"the first node", func() { nodes[0].Kill(); nodes[0].start(t, environment) }},
		{"Postgres", func() { killPostgres(t, postgres.URL()) }},
		{"the second node", func() { nodes[1].Kill(); nodes[1].start(t, environment) }},
	}
	for range soak.Times(1, 5) {
		for _, k := range rand.Perm(soak.Times(2, len(victims))) {
			received.await(failed, received.count()+50+rand.IntN(100))
			t.Logf("%s is killed after %d deliveries", victims[k].name, received.count())
			victims[k].kill()
		}
	}
	received.await(failed, received.count()+50)
	stop()
	if err := writers.Wait(); err != nil {
		t.Fatal(err)
	}

	t.Logf("writing ended after %d deliveries of %d changes", received.count(), acknowledged.Load())
	log := nodes[0].log(t, begin, int(acknowledged.Load()))
	received.await(t.Context(), len(log))
	received.wantLog(log)
}

// crashNode is a server that is started again after a kill, at another address.
type crashNode struct {
	*nodetest.Process
	at atomic.Value // its URL
}

func (n *crashNode) start(t *testing.T, environment []string) {
	t.Helper()
	p, url := nodetest.StartServer(t, environment...)
	n.Process = p
	n.at.Store(url)
}

func (n *crashNode) url() string { return n.at.Load().(string) }

// killPostgres kills the postmaster at a URL and its children. Its supervisor starts another.
func killPostgres(t *testing.T, url string) {
	t.Helper()
	pid := pidOf(t, url)
	// not on every system; the children also end by themselves
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Logf("only the postmaster is killed: %v", err)
	}
	killPostmaster(t, url)
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
}

// log reads the changes after a cursor. There must be count of them: it waits for as many, and then for none.
func (n *crashNode) log(t *testing.T, after string, count int) (log []nodetest.Event) {
	t.Helper()
	client, late := nodetest.Connect(t, n.url()), time.Now().Add(nodetest.Timeout)
	for end := false; !end; {
		got := client.Call(http.MethodGet, "/api/v1/changes?wait=2&limit=200&after="+url.QueryEscape(after), "")
		if got.Status == http.StatusServiceUnavailable && time.Now().Before(late) {
			continue // a connection to the killed Postgres
		}
		got.WantStatus(t, http.StatusOK)
		var page nodetest.ChangePage
		if err := json.Unmarshal(got.Body, &page); err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Results {
			log = append(log, c.Event)
		}
		after, end = page.Cursor, len(page.Results) == 0 && (len(log) >= count || time.Now().After(late))
	}
	if len(log) != count {
		t.Errorf("%d writes were acknowledged, and the log has %d changes", count, len(log))
	}
	return log
}

// crashWriter is a client that retries at either node. Each of its writes makes one change, however often it is sent:
// a POST has an idempotency key, and a repeated PATCH or DELETE changes nothing.
type crashWriter struct {
	nodes        *[2]crashNode
	n            int
	acknowledged *atomic.Int64
}

// write creates items, changes them, and deletes some, until writing ends.
func (w *crashWriter) write(ctx, writing context.Context) error {
	for k := 0; writing.Err() == nil && ctx.Err() == nil; k++ {
		made, err := w.call(ctx, http.MethodPost, "/api/v1/items", fmt.Sprintf(`{"name":"item %d of writer %d"}`, k, w.n),
			http.StatusCreated)
		if err != nil {
			return err
		}
		var item struct{ ID string }
		if err := json.Unmarshal(made, &item); err != nil {
			return err
		}
		for take := range rand.IntN(8) {
			if _, err := w.call(ctx, http.MethodPatch, "/api/v1/items/"+item.ID, fmt.Sprintf(`{"name":"take %d"}`, take),
				http.StatusOK); err != nil {
				return err
			}
		}
		if k%2 == 0 {
			if _, err := w.call(ctx, http.MethodDelete, "/api/v1/items/"+item.ID, "", http.StatusNoContent); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *crashWriter) call(ctx context.Context, method, path, body string, want int) ([]byte, error) {
	key := uuid.NewString()
	for again := false; ; again = true {
		status, answer, err := w.try(ctx, method, path, body, key)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil, status == http.StatusServiceUnavailable,
			status == http.StatusConflict,        // the first attempt is under way
			status == http.StatusTooManyRequests: // others are signing in at the node that has just started
			pause(ctx)
		case status == want, again && method == http.MethodDelete && status == http.StatusNotFound:
			w.acknowledged.Add(1)
			return answer, nil
		default:
			return nil, fmt.Errorf("%s %s: status %d %s", method, path, status, answer)
		}
	}
}

// pause is between a client's attempts.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}

func (w *crashWriter) try(ctx context.Context, method, path, body, key string) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, nodetest.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, w.nodes[rand.IntN(len(w.nodes))].url()+path,
		strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
	switch method {
	case http.MethodPost:
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", key)
	case http.MethodPatch:
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// itemRevision identifies a change.
type itemRevision struct {
	item     string
	revision int64
}

// sentWebhook is the content of a webhook-id.
type sentWebhook struct {
	itemRevision
	event, cursor string
	body          []byte
}

// ledger is an endpoint that records its deliveries and checks them against the promises of hooks. Sometimes it
// hangs, or answers 503; never twice for one delivery, because the third attempt would come minutes later.
type ledger struct {
	t   *testing.T
	url string

	mu       sync.Mutex
	byID     map[string]sentWebhook    // by webhook-id
	ids      map[itemRevision]string   // the webhook-id of each change
	accepted map[string]int64          // by item, the last revision that was answered with 200
	done     map[itemRevision]struct{} // all changes that were answered with 200
	added    chan struct{}             // closed and replaced with each of them
	repeated int
}

func newLedger(t *testing.T) *ledger {
	l := &ledger{
		t: t, byID: map[string]sentWebhook{}, ids: map[itemRevision]string{}, accepted: map[string]int64{},
		done:  map[itemRevision]struct{}{},
		added: make(chan struct{}),
	}
	server := httptest.NewServer(http.HandlerFunc(l.receive))
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

func (l *ledger) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the node was killed
	}
	var item struct{ ID string }
	revision, err := strconv.ParseInt(r.Header.Get("Itemcast-Revision"), 10, 64)
	if bad := json.Unmarshal(body, &item); bad != nil || err != nil {
		l.t.Errorf("got the revision %q of %s", r.Header.Get("Itemcast-Revision"), body)
		return
	}
	s := sentWebhook{itemRevision{item.ID, revision}, r.Header.Get("Itemcast-Event"), r.Header.Get("Itemcast-Cursor"),
		body}
	again := l.arrive(r.Header.Get("Webhook-Id"), s)
	switch {
	case !again && rand.IntN(200) == 0:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case rand.IntN(20) == 0:
		select {
		case <-r.Context().Done():
			return
		case <-time.After(rand.N(500 * time.Millisecond)):
		}
	}
	l.accept(s.itemRevision)
}

func (l *ledger) arrive(id string, s sentWebhook) (again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, again := l.byID[id]
	if again {
		l.repeated++
		if first.itemRevision != s.itemRevision || first.event != s.event || first.cursor != s.cursor ||
			!bytes.Equal(first.body, s.body) {
			l.t.Errorf("the webhook-id %s has the contents\n%v %s and\n%v %s", id, first, first.body, s, s.body)
		}
		return again
	}
	if other, known := l.ids[s.itemRevision]; known {
		l.t.Errorf("%v has the webhook-ids %s and %s", s.itemRevision, other, id)
	}
	if last := l.accepted[s.item]; s.revision != last+1 {
		l.t.Errorf("%v follows revision %d", s.itemRevision, last)
	}
	l.byID[id], l.ids[s.itemRevision] = s, id
	return false
}

func (l *ledger) accept(r itemRevision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted[r.item] = max(l.accepted[r.item], r.revision)
	l.done[r] = struct{}{}
	close(l.added)
	l.added = make(chan struct{})
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done)
}

// await waits until a number of changes have been delivered.
func (l *ledger) await(ctx context.Context, changes int) {
	l.t.Helper()
	for end := time.After(takeoverTimeout); ; {
		l.mu.Lock()
		count, added := len(l.done), l.added
		l.mu.Unlock()
		if count >= changes {
			return
		}
		select {
		case <-added:
		case <-ctx.Done():
			l.t.Fatalf("%d changes were delivered: %v", count, context.Cause(ctx))
		case <-end:
			l.t.Fatalf("%d of %d changes were delivered", count, changes)
		}
	}
}

// wantLog fails the test unless the deliveries equal the log.
func (l *ledger) wantLog(log []nodetest.Event) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range log {
		id, _ := identity(l.t, c.Document)
		r := itemRevision{id, c.Revision}
		if _, ok := l.done[r]; !ok {
			l.t.Errorf("%v was not delivered", r)
			continue
		}
		s := l.byID[l.ids[r]]
		if s.event != "item."+strings.ToLower(c.Kind) || s.cursor != c.Cursor || !bytes.Equal(s.body, c.Document) {
			l.t.Errorf("%v was delivered as %s at %s: %s\nand is %s at %s: %s", r, s.event, s.cursor, s.body, c.Kind, c.Cursor,
				c.Document)
		}
	}
	if len(l.done) != len(log) {
		l.t.Errorf("%d changes were delivered, and the log has %d", len(l.done), len(log))
	}
	l.t.Logf("%d changes; %d deliveries were repeated", len(log), l.repeated)
}
