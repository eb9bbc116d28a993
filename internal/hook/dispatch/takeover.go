package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/hook/internal/store"
)

// absence knows which nodes have been seen and are missing. It is for one goroutine, the sweep.
type absence struct {
	patience time.Duration
	missing  map[int32]time.Time // since when; zero: it is there
	dead     bool                // somebody is, and was not taken over yet
}

// newAbsence counts those that died before this node began as missing from now on: they are all called zero.
func newAbsence(patience time.Duration, now time.Time) absence {
	return absence{patience: patience, missing: map[int32]time.Time{0: now}}
}

// look takes note of who is alive, and reports whether somebody has been missing for long enough to be dead, until done. It returns whom to
// leave alone: the living, and those who may come back.
func (a *absence) look(alive []int32, now time.Time) (spared []int32, dead bool) {
	there := make(map[int32]bool, len(alive))
	for _, node := range alive {
		there[node] = true
		a.missing[node] = time.Time{}
	}
	spared = append(make([]int32, 0, len(alive)), alive...) // never nil, which Postgres takes for null
	for node, since := range a.missing {
		switch {
		case there[node]:
		case since.IsZero():
			a.missing[node] = now
			spared = append(spared, node)
		case now.Sub(since) < a.patience:
			spared = append(spared, node)
		default:
			delete(a.missing, node)
			a.dead = true
		}
	}
	return spared, a.dead
}

// done notes that the dead were taken over.
func (a *absence) done() { a.dead = false }

// takeOver makes due again what dead nodes have claimed.
func (d *Dispatcher) takeOver(ctx context.Context) error {
	q := store.New(d.pool)
	alive, err := q.NodesAlive(ctx)
	if err != nil {
		return err
	}
	spared, dead := d.absence.look(alive, time.Now())
	if !dead {
		return nil
	}
	hooks, err := q.TakeOver(ctx, spared)
	if err != nil {
		return err
	}
	d.absence.done()
	if len(hooks) > 0 {
		d.log.Info("took over deliveries that a dead node had claimed", "deliveries", len(hooks))
	}
	d.Wake(hooks...)
	return nil
}

const (
	endBatch   = 1000 // deliveries under the lock of the lines
	endBatches = 20   // of all hooks, in a sweep: others wait for what it looks for next
)

// endInactive ends what is pending of inactive hooks, in bounded batches, and forgets hooks that are deleted. It ends the newest first: the
// first of a line is then its last to go, unless it is older and was asked for again: then it comes forward. So no line is ever without one
// that is due, should the hook become active again meanwhile.
func (d *Dispatcher) endInactive(ctx context.Context) error {
	hooks, err := store.New(d.pool).InactiveHooks(ctx)
	if err != nil {
		return err
	}
	var errs error
	left := endBatches
	for _, h := range hooks {
		var err error
		ended := int64(endBatch)
		for ; left > 0 && ended == endBatch && err == nil; left-- {
			ended, err = d.endBatch(ctx, h)
		}
		if err == nil && h.Deleted && ended < endBatch {
			_, err = store.New(d.pool).ForgetHook(ctx, h.ID)
		}
		if err != nil { // the others are to have their turn
			errs = errors.Join(errs, fmt.Errorf("hook %s: %w", h.ID, err))
		}
	}
	return errs
}

func (d *Dispatcher) endBatch(ctx context.Context, h store.InactiveHooksRow) (ended int64, err error) {
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) (err error) {
		q := store.New(tx)
		if err := q.LockGroups(ctx); err != nil {
			return err
		}
		if h.Deleted {
			ended, err = q.DropPending(ctx, store.DropPendingParams{HookID: h.ID, Batch: endBatch})
			return err
		}
		rows, err := q.FailPending(ctx, store.FailPendingParams{HookID: h.ID, Batch: endBatch, Reason: h.Reason})
		if err != nil {
			return err
		}
		ended = int64(len(rows))
		var lines store.PromoteNextParams
		for _, row := range rows {
			if row.Led {
				lines.HookIds, lines.ItemIds = append(lines.HookIds, h.ID), append(lines.ItemIds, row.ItemID)
			}
		}
		if len(lines.HookIds) > 0 {
			_, err = q.PromoteNext(ctx, lines)
		}
		return err
	})
	return ended, err
}
