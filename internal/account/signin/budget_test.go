package signin

import (
	"testing"
	"time"
)

func TestBudget_TokensComeBackInTimeAndByRefund(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	size := size{burst: 3, refill: 10 * time.Second}
	b := budgetOf(newThrottle().users, "ada@example.com", size)
	take := func() (taken int) {
		for b.wait(now) == 0 {
			b.take(now)
			taken++
		}
		return taken
	}
	if taken := take(); taken != size.burst || b.wait(now) != size.refill {
		t.Errorf("%d tokens; the next takes %s", taken, b.wait(now))
	}
	now = now.Add(4 * time.Second)
	if wait := b.wait(now); wait != 6*time.Second {
		t.Errorf("the next token takes %s", wait)
	}
	b.refund(now)
	if taken := take(); taken != 1 {
		t.Errorf("after a refund: %d tokens", taken)
	}
	now = now.Add(time.Hour)
	for range size.burst {
		b.refund(now)
	}
	now = now.Add(time.Second)
	if taken := take(); taken != size.burst {
		t.Errorf("refunds of a full budget: %d tokens", taken)
	}
}
