package hook

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db/dbsqlc"
)

const (
	resultBatch   = 512
	resultLinger  = 2 * time.Millisecond // what finishes within it is written together
	resultTimeout = 5 * time.Second
	resultPause   = 100 * time.Millisecond // between tries while the database is away
)

// The states of a delivery.
const (
	statePending   = "pending"
	stateSucceeded = "succeeded"
	stateFailed    = "failed"
)

// writeResults writes outcomes in batches until they are closed. What cannot be written before its claim lapses is sent again.
func (d *Dispatcher) writeResults() {
	health := newHealth(d.log, time.Now)
	for first := range d.outcomes {
		batch := d.gather(first)
		for _, o := range batch {
			d.attempts.count(o.verdict)
			health.note(o)
		}
		for deadline := time.Now().Add(d.config.Slack); ; time.Sleep(resultPause) {
			err := d.write(batch)
			if err == nil {
				break
			}
			d.log.Warn("cannot write the results of deliveries; trying again", "results", len(batch), "err", err)
			if time.Now().After(deadline) {
				break
			}
		}
	}
}

// gather returns first and what comes within resultLinger after it.
func (d *Dispatcher) gather(first outcome) []outcome {
	batch := []outcome{first}
	linger := time.NewTimer(resultLinger)
	defer linger.Stop()
	for len(batch) < resultBatch {
		select {
		case o, open := <-d.outcomes:
			if !open {
				return batch
			}
			batch = append(batch, o)
		case <-linger.C:
			return batch
		}
	}
	return batch
}

// write records a batch, lets the next of each line come forward, and makes hooks inactive that are gone.
func (d *Dispatcher) write(batch []outcome) error {
	ctx, cancel := context.WithTimeout(context.Background(), resultTimeout)
	defer cancel()
	var due, disabled []uuid.UUID
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		if err := q.LockLines(ctx); err != nil {
			return fmt.Errorf("lock lines: %w", err)
		}
		written, err := q.WriteResults(ctx, resultParams(batch))
		if err != nil {
			return fmt.Errorf("write results: %w", err)
		}
		if due, err = promote(ctx, q, written); err != nil {
			return err
		}
		disabled, err = disableGone(ctx, q, batch, written)
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range disabled {
		d.log.Warn("a hook was made inactive", "hook", id, "reason", goneReason)
	}
	for _, o := range batch {
		switch {
		case o.verdict == returned:
			due = append(due, o.hook)
		case o.verdict == retry && o.wait < d.config.Sweep: // longer waits are found by the sweep
			time.AfterFunc(o.wait, func() { d.look(o.hook) })
		}
	}
	d.look(due...)
	return nil
}

func promote(ctx context.Context, q *dbsqlc.Queries, written []dbsqlc.WriteResultsRow) ([]uuid.UUID, error) {
	var lines dbsqlc.PromoteNextParams
	for _, row := range written {
		if row.State != statePending {
			lines.HookIds, lines.ItemIds = append(lines.HookIds, row.HookID), append(lines.ItemIds, row.ItemID)
		}
	}
	if len(lines.HookIds) == 0 {
		return nil, nil
	}
	due, err := q.PromoteNext(ctx, lines)
	if err != nil {
		return nil, fmt.Errorf("promote: %w", err)
	}
	return due, nil
}

const goneReason = "The endpoint answered 410 Gone."

// disableGone makes the hooks inactive whose endpoints answered 410, and fails all that waits for them. It returns those that were active.
func disableGone(ctx context.Context, q *dbsqlc.Queries, batch []outcome, written []dbsqlc.WriteResultsRow) (disabled []uuid.UUID, err error) {
	counted := make(map[uuid.UUID]bool, len(written))
	for _, row := range written {
		counted[row.ID] = true
	}
	for _, o := range batch {
		if o.verdict != gone || !counted[o.id] {
			continue
		}
		active, err := q.DisableHook(ctx, dbsqlc.DisableHookParams{ID: o.hook, Reason: goneReason})
		if err != nil {
			return nil, fmt.Errorf("disable hook: %w", err)
		}
		if active > 0 {
			disabled = append(disabled, o.hook)
		}
		if err := q.FailPending(ctx, dbsqlc.FailPendingParams{HookID: o.hook, Reason: goneReason}); err != nil {
			return nil, fmt.Errorf("fail what is pending: %w", err)
		}
	}
	return disabled, nil
}

func resultParams(batch []outcome) dbsqlc.WriteResultsParams {
	var p dbsqlc.WriteResultsParams
	for _, o := range batch {
		state, tries := stateFailed, int32(1)
		switch o.verdict {
		case succeeded:
			state = stateSucceeded
		case retry:
			state = statePending
		case returned:
			state, tries = statePending, 0
		}
		p.Ids, p.Claims = append(p.Ids, o.id), append(p.Claims, o.claim)
		p.States, p.Tries, p.Waits = append(p.States, state), append(p.Tries, tries), append(p.Waits, o.wait.Seconds())
		p.Statuses, p.Errors = append(p.Statuses, int32(o.status)), append(p.Errors, o.fault)
	}
	return p
}
