package dispatch

import (
	"context"
	"time"

	"itemcast/internal/hook/internal/store"
)

// takeOver makes the deliveries due again that dead nodes have claimed.
func (d *Dispatcher) takeOver(ctx context.Context) error {
	q := store.New(d.pool)
	alive, err := q.NodesAlive(ctx)
	if err != nil {
		return err
	}
	spared, dead := d.absence.observe(alive, time.Now())
	if !dead {
		return nil
	}
	hooks, err := q.TakeOver(ctx, spared)
	if err != nil {
		return err
	}
	d.absence.takenOver()
	if len(hooks) > 0 {
		d.log.Info("took over the deliveries that a dead node had claimed", "deliveries", len(hooks))
	}
	d.Wake(hooks...)
	return nil
}

// absence remembers which nodes have been seen, and since when they are missing. Only the sweep uses it.
type absence struct {
	timeout time.Duration
	missing map[int32]time.Time // since when; zero: the node is alive
	dead    bool                // a node is dead, and its claims have not been taken over yet
}

// newAbsence counts the nodes that died before this one started as missing from now on. All of them have the
// number 0.
func newAbsence(timeout time.Duration, now time.Time) absence {
	return absence{timeout: timeout, missing: map[int32]time.Time{0: now}}
}

// observe records which nodes are alive. It reports that a node is dead from the time when the node has been missing
// for the timeout until takenOver is called. The spared nodes retain their claims: those that are alive, and those
// that may come back.
func (a *absence) observe(alive []int32, now time.Time) (spared []int32, dead bool) {
	present := make(map[int32]bool, len(alive))
	for _, node := range alive {
		present[node] = true
		a.missing[node] = time.Time{}
	}
	spared = append(make([]int32, 0, len(alive)), alive...) // never nil, which would be NULL in the statement
	for node, since := range a.missing {
		switch {
		case present[node]:
		case since.IsZero():
			a.missing[node] = now
			spared = append(spared, node)
		case now.Sub(since) < a.timeout:
			spared = append(spared, node)
		default:
			delete(a.missing, node)
			a.dead = true
		}
	}
	return spared, a.dead
}

func (a *absence) takenOver() { a.dead = false }
