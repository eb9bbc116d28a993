package dispatch

import (
	"net/http"
	"testing"
	"time"

	"itemcast/internal/hook/hooktest"
)

func TestWait_FollowsTheScheduleWithinAFifthAndEnds(t *testing.T) {
	t.Parallel()
	for random, factor := range map[float64]float64{0: 0.8, 0.5: 1, 0.9999999: 1.2} {
		c := Config{Rand: func() float64 { return random }}.withDefaults()
		for attempts, planned := range []string{"5s", "5m", "30m", "2h", "5h", "10h", "10h"} {
			want, _ := time.ParseDuration(planned)
			got, ok := c.wait(attempts, 0)
			if off := got.Seconds() - want.Seconds()*factor; !ok || off > 0.1 || off < -0.1 {
				t.Errorf("after %d attempts: %s %t, want %s × %.1f", attempts+1, got, ok, want, factor)
			}
		}
		if got, ok := c.wait(7, time.Minute); ok {
			t.Errorf("the eighth attempt is not the last: %s", got)
		}
	}
}

func TestWait_RespectsRetryAfterWithinBounds(t *testing.T) {
	t.Parallel()
	c := Config{Rand: func() float64 { return 0.5 }}.withDefaults()
	for retryAfter, want := range map[time.Duration]time.Duration{
		0: 5 * time.Second, time.Second: 5 * time.Second, 90 * time.Second: 90 * time.Second,
		1e9 * time.Second: 10 * time.Hour,
	} {
		if got, _ := c.wait(0, retryAfter); got != want {
			t.Errorf("Retry-After %s: %s, want %s", retryAfter, got, want)
		}
	}
}

func TestRetryAfter_PostponesTheNextAttempt(t *testing.T) {
	for retryAfter, want := range map[string]float64{"600": 600, "99999999999": 36_000, "99999999999999999999": 36_000} {
		t.Run(retryAfter, func(t *testing.T) {
			b := setup(t)
			r := b.Receiver(func(w http.ResponseWriter, _ hooktest.Message) int {
				w.Header().Set("Retry-After", retryAfter)
				return http.StatusTooManyRequests
			})
			h, _ := b.Hook(r.URL)
			n := b.node(Config{Retries: retries(3, time.Millisecond)})
			b.write(n, h.ID, "CREATED")
			r.AwaitCount(1)
			n.stop()
			wait := value[float64](b, "SELECT extract(epoch FROM due_at - now()) FROM delivery")
			if wait < want-100 || wait > want+1 {
				t.Errorf("due in %.0f s, want %.0f", wait, want)
			}
		})
	}
}
