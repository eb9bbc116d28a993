package hook

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
)

func TestThroughput_AThousandChangesArriveOnceEach(t *testing.T) {
	b := setup(t)
	const changes = 1000
	r := b.receiver(nil)
	h, _ := b.hook(r.URL)
	n := b.idleNode(Config{})
	for range changes {
		b.write(n, uuid.New(), change.Created)
	}
	b.fanOutAll(n)
	start := time.Now()
	n = b.node(Config{})
	r.awaitCount(changes)
	t.Logf("%.0f deliveries/s", changes/time.Since(start).Seconds())
	n.stop()
	if states := b.states(h); states[stateSucceeded] != changes || len(r.messages) != changes {
		t.Errorf("%d messages, states %v", len(r.messages), states)
	}
}

// BenchmarkLatency measures from the commit of a change to the arrival of its document, at some 500 changes/s.
func BenchmarkLatency(b *testing.B) {
	s := newBundle(b)
	r := s.receiver(nil)
	s.hook(r.URL)
	n := s.node(Config{})
	const writers = 4
	committed := make(map[string]time.Time)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			pace := time.NewTicker(8 * time.Millisecond)
			defer pace.Stop()
			for range (b.N + writers - 1) / writers {
				<-pace.C
				item := uuid.New()
				s.write(n, item, change.Created)
				mu.Lock()
				committed[string(documentOf(item, 1))] = time.Now()
				mu.Unlock()
			}
		})
	}
	group.Wait()
	var took []time.Duration
	for _, m := range r.awaitCount(len(committed)) {
		took = append(took, m.at.Sub(committed[string(m.body)]))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkDeliveries measures deliveries/s to one endpoint, from a backlog of b.N.
func BenchmarkDeliveries(b *testing.B) { benchmarkDeliveries(b, newBundle(b)) }

// BenchmarkDeliveries_WriterLeftOpen is the same while dead versions of rows cannot be pruned.
func BenchmarkDeliveries_WriterLeftOpen(b *testing.B) {
	s := newBundle(b)
	s.begin(change.Change{ItemID: uuid.New(), Kind: change.Created, Trigger: change.TriggerWrite})
	benchmarkDeliveries(b, s)
}

func benchmarkDeliveries(b *testing.B, s *bundle) {
	b.Helper()
	r := s.receiver(nil)
	h, _ := s.hook(r.URL)
	n := s.idleNode(Config{})
	_, err := s.pool.Exec(s.ctx, `WITH made AS (INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, trigger,
		document, occurred_at) SELECT $1, gen_random_uuid(), 1, 'CREATED', '{}', '{}', 'hook', convert_to(repeat('x', 2000), 'UTF8'), now()
		FROM generate_series(1, $2) RETURNING id) SELECT count(*) FROM made`, s.account, b.N)
	if err != nil {
		b.Fatal(err)
	}
	s.fanOutAll(n)
	b.ResetTimer()
	n = s.node(Config{})
	r.awaitCount(b.N)
	b.StopTimer()
	n.stop()
	if states := s.states(h); states[stateSucceeded] != b.N {
		b.Errorf("states: %v", states)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
