package dispatch

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/hooktest"
)

// In a second at most as many are sent as the rate and the saved-up requests allow, and all take about as long as the
// rate says. The test compares the times of the claims: on a busy machine, arrivals are off by some hundred
// milliseconds.
func TestRateLimit_HoldsOverSeveralNodesAndIsUsed(t *testing.T) {
	for _, rate := range []int{1, 3, 7, 40} {
		t.Run(time.Duration(int(time.Second)/rate).String(), func(t *testing.T) {
			b := setup(t)
			r := b.Receiver(nil)
			h, _ := b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemCreated}, "rate_limit": rate})
			n := b.idleNode(Config{})
			deliveries := max(3, 2*rate)
			for range deliveries {
				b.write(n, uuid.New(), change.Created)
			}
			b.fanOutAll(n)
			claims := b.recordClaims()
			b.node(Config{Sweep: 200 * time.Millisecond})
			b.node(Config{Sweep: 200 * time.Millisecond})
			r.AwaitCount(deliveries)
			b.Eventually("all are written", func() bool { return b.States(h)[hooktest.Succeeded] == deliveries })
			times := claims()
			if len(times) != deliveries {
				t.Fatalf("%d claims of %d deliveries", len(times), deliveries)
			}
			saved := max(1, rate/4)
			const rounding = 10 * time.Millisecond
			for first := range times {
				for last := first + rate + saved; last < len(times); last++ { // one more than a second allows
					if apart := times[last].Sub(times[first]); apart < time.Second-rounding {
						t.Errorf("%d were claimed within %s", last-first+1, apart)
					}
				}
			}
			took := times[deliveries-1].Sub(times[0])
			// A hook that was idle has saved a quarter of a second, or one request.
			interval := time.Second / time.Duration(rate)
			ideal := time.Duration(deliveries)*interval - max(interval, time.Second/4)
			t.Logf("%d in %s, at best %s", deliveries, took, ideal)
			if took < ideal-rounding || took > 3*ideal+5*time.Second {
				t.Errorf("%d took %s, at best they take %s", deliveries, took, ideal)
			}
		})
	}
}

// recordClaims records the times of all claims from now on, by the database's clock. claims returns them in order.
func (b *bundle) recordClaims() (claims func() []time.Time) {
	b.T.Helper()
	b.Exec(`CREATE TABLE claimed (at timestamptz);
		CREATE FUNCTION record_claim() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN INSERT INTO claimed VALUES (now()); RETURN NULL; END $$;
		CREATE TRIGGER record_claim AFTER UPDATE OF claim ON delivery
			FOR EACH ROW WHEN (NEW.claim IS NOT NULL) EXECUTE FUNCTION record_claim()`)
	return func() []time.Time {
		b.T.Helper()
		return value[[]time.Time](b, "SELECT array_agg(at ORDER BY at) FROM claimed")
	}
}

func TestMaxInFlight_HoldsOverSeveralNodesAndIsUsed(t *testing.T) {
	b := setup(t)
	const limit, deliveries = 3, 150
	var inFlight, highest atomic.Int32
	full, turns := make(chan struct{}), make(chan struct{})
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		now := inFlight.Add(1)
		for seen := highest.Load(); now > seen && !highest.CompareAndSwap(seen, now); seen = highest.Load() {
		}
		if now == limit {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		<-turns
		inFlight.Add(-1)
		return http.StatusOK
	})
	h, _ := b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemCreated}, "max_in_flight": limit})
	config := Config{Timeout: hooktest.Timeout} // no post ends before the receiver answers
	n := b.node(config)
	b.node(config)
	for range deliveries {
		b.write(n, uuid.New(), change.Created)
	}
	select {
	case <-full:
	case <-time.After(hooktest.Timeout):
		t.Fatal("the limit is not used")
	}
	for range deliveries {
		turns <- struct{}{}
	}
	b.Eventually("all are delivered", func() bool { return b.States(h)[hooktest.Succeeded] == deliveries })
	if got := highest.Load(); got != limit {
		t.Errorf("%d were in flight, want %d", got, limit)
	}
}

// One at a time: the next is sent after the answer to the one before, whatever its item and its node.
func TestMaxInFlight_OfOneSendsOneAfterTheOther(t *testing.T) {
	b := setup(t)
	var inFlight, over atomic.Int32
	r := b.Receiver(func(http.ResponseWriter, hooktest.Message) int {
		if inFlight.Add(1) > 1 {
			over.Add(1)
		}
		defer inFlight.Add(-1)
		return http.StatusOK
	})
	const deliveries = 200
	b.HookOf(map[string]any{"url": r.URL, "events": []string{hook.ItemCreated}, "max_in_flight": 1})
	n := b.idleNode(Config{})
	for range deliveries {
		b.write(n, uuid.New(), change.Created)
	}
	b.fanOutAll(n)
	for range 3 {
		b.node(Config{Sweep: 3 * time.Millisecond})
	}
	messages := r.AwaitCount(deliveries)
	if over.Load() > 0 {
		t.Errorf("%d of %d came while another was in flight", over.Load(), deliveries)
	}
	position := func(m hooktest.Message) int64 { return hook.PositionOf(uuid.MustParse(m.ID())) }
	late := 0
	for i := 1; i < len(messages); i++ {
		if position(messages[i]) < position(messages[i-1]) {
			late++
		}
	}
	t.Logf("%d of %d came after a later one", late, deliveries)
}
