package sse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/live/sse"
)

// timeout ends a test that waits in vain. A test takes less than a second on an idle machine.
const timeout = time.Minute

// bundle is a running log with a hub, and a server whose only page is an event stream.
type bundle struct {
	t         *testing.T
	ctx       context.Context // carries the actor
	pool      *pgxpool.Pool
	sequencer *change.Sequencer
	hub       *live.Hub
	item      uuid.UUID
	revision  int64
	url       string

	mu       sync.Mutex
	lost     bool                // the user has lost access
	watchers map[int]func(error) // of open streams
	next     int                 // key of watchers
	watching chan struct{}       // receives when a stream is watched
	actor    account.Actor       // of every stream
	filter   *item.Filter        // of every stream
	idle     time.Duration       // of every stream
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	b := &bundle{t: t, pool: dbtest.New(t), item: uuid.New()}
	b.watchers, b.watching = map[int]func(error){}, make(chan struct{}, 8)
	b.actor = account.Actor{AccountID: uuid.New(), UserID: uuid.New(), Permissions: account.All()}
	if err := dbtest.InsertAccount(t.Context(), b.pool, b.actor.AccountID, "test"); err != nil {
		t.Fatal(err)
	}
	feed, err := change.OpenFeed(t.Context(), b.pool, log)
	if err != nil {
		t.Fatal(err)
	}
	b.sequencer, b.hub = change.NewSequencer(b.pool, log), live.NewHub(b.pool, feed, 10, log)
	running, cancel := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	parts.Go(func() { _ = b.sequencer.Run(running) })
	parts.Go(func() { _ = feed.Run(running) })
	ctx, end := context.WithTimeout(t.Context(), timeout)
	b.ctx = account.WithActor(ctx, b.actor)
	server := httptest.NewServer(http.HandlerFunc(b.serve))
	b.url = server.URL
	t.Cleanup(func() { end(); server.CloseClientConnections(); server.Close(); cancel(); parts.Wait() })
	return b
}

// serve follows every change after Last-Event-ID.
func (b *bundle) serve(w http.ResponseWriter, r *http.Request) {
	open := func(ctx context.Context, after string) (*live.Subscription, live.Render, error) {
		subscription, err := b.hub.Subscribe(ctx, after, b.filter, nil)
		return subscription, func(e *live.Event) ([]byte, error) { return fmt.Appendf(nil, "%d", e.Revision), nil }, err
	}
	source := live.Source{Key: "all", Open: open}
	ctx := account.WithActor(r.Context(), b.actor)
	follower, err := b.hub.Follow(ctx, source, r.Header.Get("Last-Event-ID"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	stream := sse.Stream{
		Hub: b.hub, Source: source, SignIn: func() (context.Context, error) { return b.signIn(ctx) }, Watch: b.watch,
		Event: "change", Checkpoint: (*sse.Writer).Checkpoint, Idle: b.idle,
		Fail: func(out *sse.Writer, err error) { out.Event("error", "", []byte(`"`+err.Error()+`"`)) },
	}
	stream.Serve(ctx, sse.Begin(w), follower)
}

func (b *bundle) signIn(ctx context.Context) (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost {
		b.t.Error("a stream whose user has lost access signs in again: on a busy machine that takes seconds")
	}
	return ctx, nil
}

func (b *bundle) watch(_ account.Actor, changed func(error)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := b.next
	b.next++
	b.watchers[key] = changed
	b.watching <- struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, key)
	}
}

// changePermissions tells every open stream that its user's permissions have changed, with the reason if the user has
// lost access.
func (b *bundle) changePermissions(reason error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = reason != nil
	for _, changed := range b.watchers {
		changed(reason)
	}
}

func (b *bundle) write() {
	b.t.Helper()
	b.revision++
	err := db.Write(b.ctx, b.pool, func(ctx context.Context, tx pgx.Tx) error {
		db.AfterCommit(ctx, b.sequencer.Wake)
		return change.Record(ctx, tx, change.Change{
			AccountID: b.actor.AccountID, ItemID: b.item, Revision: b.revision, Kind: change.Created,
			Trigger: change.TriggerWrite, Document: []byte(`{}`), OccurredAt: time.Now(),
		})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// client reads blocks of an event stream.
type client struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
}

func (b *bundle) connect(lastEventID string) *client {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = response.Body.Close() })
	return &client{b.t, response, bufio.NewScanner(response.Body)}
}

// block returns the lines up to the next empty one as fields; nil at the end of the stream.
func (c *client) block() map[string]string {
	c.t.Helper()
	fields := map[string]string{}
	for c.lines.Scan() {
		if c.lines.Text() == "" {
			return fields
		}
		name, value, _ := strings.Cut(c.lines.Text(), ": ")
		fields[name] = value
	}
	return nil
}

// begin reads what every stream begins with, and returns its cursor.
func (c *client) begin() string {
	c.t.Helper()
	if retry := c.block()["retry"]; len(retry) != 4 {
		c.t.Errorf("the stream begins with retry %q, want 1000 to 2999", retry)
	}
	first := c.block()
	if first["event"] != "checkpoint" || first["id"] == "" {
		c.t.Errorf("then comes %v, want a checkpoint", first)
	}
	return first["id"]
}

func (c *client) wantChange(data string) (cursor string) {
	c.t.Helper()
	got := c.block()
	if got["event"] != "change" || got["data"] != data || got["id"] == "" {
		c.t.Fatalf("got %v, want change %s with an id", got, data)
	}
	return got["id"]
}

func TestStream_SendsEachChangeWithTheCursorToResumeFrom(t *testing.T) {
	b := setup(t)
	c := b.connect("")
	if got := c.response.Header; got.Get("Content-Type") != sse.ContentType || got.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", got)
	}
	start := c.begin()
	b.write()
	first := c.wantChange("1")
	b.write()
	c.wantChange("2")

	resumed := b.connect(first)
	resumed.begin()
	resumed.wantChange("2")
	fromStart := b.connect(start)
	fromStart.begin()
	fromStart.wantChange("1")
	fromStart.wantChange("2")
}

// What a silent stream sends does not tell whether something happens that the client does not see.
func TestStream_SendsCheckpointsWhileSilentWhateverHappens(t *testing.T) {
	b := setup(t)
	b.filter, b.idle = &item.Filter{Tags: []string{"none"}}, 10*time.Millisecond
	c := b.connect("")
	seen := map[string]bool{c.begin(): true}
	for n := range 6 {
		got := c.block()
		if got["event"] != "checkpoint" || len(got["id"]) != 32 || seen[got["id"]] {
			t.Errorf("block %d is %v, want a checkpoint with a new id", n, got)
		}
		seen[got["id"]] = true
		if n == 2 {
			b.write()
		}
	}
}

func TestStream_ContinuesWithRenewedPermissionsAndLosesNothing(t *testing.T) {
	b := setup(t)
	c := b.connect("")
	c.begin()
	<-b.watching
	b.changePermissions(nil)
	b.write()
	c.wantChange("1")
	<-b.watching // the stream follows again, under the renewed sign-in
}

func TestStream_EndsWithTheReasonWhenItsUserLosesAccess(t *testing.T) {
	b := setup(t)
	c := b.connect("")
	c.begin()
	<-b.watching
	b.changePermissions(errors.New("no access"))
	if got := c.block(); got["event"] != "error" || got["data"] != `"no access"` {
		t.Errorf("got %v, want the error", got)
	}
	if got := c.block(); got != nil {
		t.Errorf("after the error comes %v", got)
	}
}
