package dispatch

import (
	"context"
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
	"itemcast/internal/hook/hooktest"
)

// statements records the names of the statements that a node executes. A batch is one round trip.
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

// with returns the round trips that contain a statement.
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

// tracedNode is an idle node whose statements are recorded.
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

// A change that goes through the queue costs its fan-out, one claim and one result, and no search for due
// deliveries.
func TestStatements_ADeliveryThroughTheQueueCostsOneClaim(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n, trace := b.tracedNode(Config{Quick: -1, Sweep: time.Hour})
	b.run(n)
	b.write(n, uuid.New(), change.Created) // waits for the feed and the presence
	r.AwaitCount(1)
	b.Eventually("the first is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 1 })
	for range 2 { // wakes that remain from the start
		b.write(n, uuid.New(), change.Created)
	}
	b.Eventually("all three are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 3 })
	trace.forget()
	const more = 20
	for i := range more {
		b.write(n, uuid.New(), change.Created)
		b.Eventually("it is delivered", func() bool { return b.States(h)[hooktest.Succeeded] == 4+i })
	}
	for name, limit := range map[string]int{"ActiveHooksOf": more, "InsertDeliveries": more, "ClaimDeliveries": more,
		"SettleDeliveries": more,
		"DueHooks":         0, "PromoteNext": 0, "ChangesByID": 0, "DisableFailing": 0, "DisableHook": 0} {
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
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		arrived <- struct{}{}
		<-finish
		return http.StatusOK
	})
	h, _ := b.Hook(r.URL)
	n := b.node(Config{Quick: -1, Slots: 3, Sweep: time.Hour, Timeout: hooktest.Timeout})
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
