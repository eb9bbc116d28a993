package dispatch

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/hooktest"
)

func TestThroughput_EachOfAThousandChangesArrivesOnce(t *testing.T) {
	b := setup(t)
	const changes = 1000
	r := b.Receiver(nil)
	h, _ := b.Hook(r.URL)
	n := b.idleNode(Config{})
	for range changes {
		b.write(n, uuid.New(), change.Created)
	}
	b.fanOutAll(n)
	start := time.Now()
	n = b.node(Config{})
	r.AwaitCount(changes)
	t.Logf("%.0f deliveries/s", changes/time.Since(start).Seconds())
	n.stop()
	if states := b.States(h); states[hooktest.Succeeded] != changes || len(r.Messages()) != changes {
		t.Errorf("%d messages, states %v", len(r.Messages()), states)
	}
}

// BenchmarkLatency measures from the commit of a change to the arrival of its document, at some 500 changes/s.
func BenchmarkLatency(b *testing.B) {
	s := newBundle(b)
	r := s.Receiver(nil)
	s.Hook(r.URL)
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
				committed[string(hooktest.DocumentOf(item, 1))] = time.Now()
				mu.Unlock()
			}
		})
	}
	group.Wait()
	var took []time.Duration
	for _, m := range r.AwaitCount(len(committed)) {
		took = append(took, m.At.Sub(committed[string(m.Body)]))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkDeliveries measures deliveries/s to one endpoint, from a backlog of b.N.
func BenchmarkDeliveries(b *testing.B) { benchmarkDeliveries(b, newBundle(b)) }

// BenchmarkDeliveries_WriterLeftOpen is the same while an open transaction prevents the pruning of dead rows.
func BenchmarkDeliveries_WriterLeftOpen(b *testing.B) {
	s := newBundle(b)
	s.Begin(change.Change{ItemID: uuid.New(), Kind: change.Created, Trigger: change.TriggerWrite})
	benchmarkDeliveries(b, s)
}

func benchmarkDeliveries(b *testing.B, s *bundle) {
	b.Helper()
	r := s.Receiver(nil)
	h, _ := s.Hook(r.URL)
	n := s.idleNode(Config{})
	_, err := s.Pool.Exec(s.Ctx,
		`WITH made AS (INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, trigger,
		document, occurred_at) SELECT $1, gen_random_uuid(), 1, 'CREATED', '{}', '{}', 'hook', convert_to(repeat('x', 2000), 'UTF8'), now()
		FROM generate_series(1, $2) RETURNING id) SELECT count(*) FROM made`, s.Account, b.N)
	if err != nil {
		b.Fatal(err)
	}
	s.fanOutAll(n)
	b.ResetTimer()
	n = s.node(Config{})
	r.AwaitCount(b.N)
	b.StopTimer()
	n.stop()
	if states := s.States(h); states[hooktest.Succeeded] != b.N {
		b.Errorf("states: %v", states)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}
