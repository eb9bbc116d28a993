package dispatch

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/hooktest"
)

// statements notes what a node asks of Postgres: the names of the statements, those that go together as one.
type statements struct {
	mu    sync.Mutex
	trips []string
}

func (s *statements) note(sql ...string) {
	var names []string
	for _, text := range sql {
		name, found := strings.CutPrefix(text, "-- name: ")
		if name, _, _ = strings.Cut(name, " "); !found {
			name = strings.ToLower(name)
		}
		names = append(names, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trips = append(s.trips, strings.Join(names, "+"))
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.note(data.SQL)
	return ctx
}
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	var sql []string
	for _, query := range data.Batch.QueuedQueries {
		sql = append(sql, query.SQL)
	}
	s.note(sql...)
	return ctx
}
func (s *statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// with are the round trips that hold a statement.
func (s *statements) with(name string) (trips []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, trip := range s.trips {
		if slices.Contains(strings.Split(trip, "+"), name) {
			trips = append(trips, trip)
		}
	}
	return trips
}

func (s *statements) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trips = nil
}

// tracedNode is a node, of which nothing runs yet, whose statements are noted.
func (b *bundle) tracedNode(config Config) (*node, *statements) {
	b.T.Helper()
	trace := &statements{}
	with := b.Pool.Config()
	with.ConnConfig.Tracer = trace
	pool, err := pgxpool.NewWithConfig(b.T.Context(), with)
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(pool.Close)
	return b.idleNodeOn(pool, config, hooktest.Loopback), trace
}

// A change that takes the way through the queue costs its fan-out, one claim and one result, and no search for what
// is due.
func TestStatements_ADeliveryThroughTheQueueCostsOneClaim(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n, trace := b.tracedNode(Config{Quick: -1, Sweep: time.Hour})
	b.run(n)
	b.write(n, uuid.New(), change.Created) // makes the feed and the presence ready
	r.AwaitCount(1)
	b.Eventually("the first is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	for range 2 { // claims left over from the start
		b.write(n, uuid.New(), change.Created)
	}
	b.Eventually("all three are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 3 })
	trace.forget()
	const more = 20
	for i := range more {
		b.write(n, uuid.New(), change.Created)
		b.Eventually("it is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 4+i })
	}
	for name, limit := range map[string]int{"ActiveHooksOf": more, "InsertDeliveries": more, "ClaimDeliveries": more, "SettleDeliveries": more,
		"DueHooks": 0, "PromoteNext": 0, "ChangesByID": 0, "DisableFailing": 0, "DisableHook": 0} {
		if trips := trace.with(name); len(trips) > limit {
			t.Errorf("%s: %d statements for %d deliveries: %q", name, len(trips), more, trips[0])
		}
	}
	n.stop()
}

func TestClaims_TakeTheFreeSlotsAndTheRestFollowsWithoutASweep(t *testing.T) {
	b := setup(t)
	const changes = 40
	arrived, finish := make(chan struct{}, changes), make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { arrived <- struct{}{}; <-finish; return http.StatusOK })
	h, _ := b.Hook(r.URL)
	n := b.node(Config{Quick: -1, Slots: 3, Sweep: time.Hour})
	b.Eventually("the node may claim", func() bool { _, ok := n.presence.term(); return ok })
	for range changes {
		b.write(n, uuid.New(), change.Created)
	}
	for range 3 {
		<-arrived
	}
	b.Eventually("all are fanned out", func() bool { return b.States(h)[hooktest.Pending] == changes })
	if claimed := value[int](b, "SELECT count(*) FROM delivery WHERE claim IS NOT NULL"); claimed != 3 {
		t.Errorf("%d are claimed, want 3", claimed)
	}
	close(finish)
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == changes })
}

func TestDirect_ARollbackEndsThePostsAndReleasesTheirSlots(t *testing.T) {
	b := setup(t)
	end := make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int { <-end; return http.StatusOK })
	t.Cleanup(func() { close(end) })
	h, _ := b.Hook(r.URL)
	n := b.idleNode(Config{Quick: time.Minute, Slots: 5})
	n.presence.take(1<<30, b.Ctx, time.Now().Add(time.Hour))
	for range 3 {
		b.write(n, uuid.New(), change.Created)
	}
	if err := n.sequencer.Drain(b.Ctx); err != nil {
		t.Fatal(err)
	}
	feed, err := change.OpenFeed(b.Ctx, n.pool, n.log)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := feed.Read(b.Ctx, 0, 10)
	if err != nil || len(changes) != 3 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	inFlight := func() int {
		n.slots.mu.Lock()
		defer n.slots.mu.Unlock()
		if l := n.slots.endpoints[h.ID]; l != nil {
			return l.inFlight
		}
		return 0
	}
	failed := errors.New("the transaction fails")
	for range 4 { // more than there are slots
		err := db.Write(b.Ctx, n.pool, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := n.fanOut(ctx, tx, changes); err != nil {
				return err
			}
			if got := inFlight(); got != 3 {
				t.Errorf("%d slots are taken, want 3", got)
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		// The next fan-out abandons the posts, even one of changes that no hook wants.
		err = db.Write(b.Ctx, n.pool, func(ctx context.Context, tx pgx.Tx) error {
			_, err := n.fanOut(ctx, tx, []*change.Change{{AccountID: uuid.New(), Kind: change.Created}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Eventually("the slots are released", func() bool { return inFlight() == 0 })
	}
	if len(b.States(h)) != 0 || len(n.outcomes) != 0 {
		t.Errorf("deliveries %v, %d outcomes, want none", b.States(h), len(n.outcomes))
	}
}
