package hook

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/db/dbsqlc"
)

const (
	resultBatch   = 512
	resultLinger  = 2 * time.Millisecond // what finishes within it is written together
	resultTimeout = 5 * time.Second
	resultPause   = 100 * time.Millisecond // between tries while the database is away
)

// outcomes are verdicts as the log has them; in the queue, a delivery that is returned stays as it was.
var outcomes = map[verdict]string{
	succeeded: "succeeded",
	retry:     "retry",
	failed:    "failed",
	gone:      "failed",
	returned:  "returned",
}

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

// write records a batch, lets the next of each line come forward, and makes hooks inactive that are gone or do nothing but fail.
func (d *Dispatcher) write(batch []outcome) error {
	ctx, cancel := context.WithTimeout(context.Background(), resultTimeout)
	defer cancel()
	var due []uuid.UUID
	disabled := make(map[uuid.UUID]string)
	err := db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		if err := dbsqlc.New(db.Later(tx)).LockLines(ctx); err != nil {
			return fmt.Errorf("lock lines: %w", err)
		}
		written, err := q.WriteResults(ctx, resultParams(batch))
		if err != nil {
			return fmt.Errorf("write results: %w", err)
		}
		if due, err = promote(ctx, q, written); err != nil {
			return err
		}
		return d.disable(ctx, q, batch, written, disabled)
	})
	if err != nil {
		return err
	}
	for id, reason := range disabled {
		d.log.Warn("a hook was made inactive", "hook", id, "reason", reason)
	}
	for _, o := range batch {
		switch {
		case o.verdict == returned || o.limited:
			due = append(due, o.hook)
		case o.verdict == retry && o.wait < d.config.Sweep: // longer waits are found by the sweep
			time.AfterFunc(o.wait, func() { d.Look(o.hook) })
		}
	}
	d.Look(due...)
	return nil
}

func promote(ctx context.Context, q *dbsqlc.Queries, written []dbsqlc.WriteResultsRow) ([]uuid.UUID, error) {
	var lines dbsqlc.PromoteNextParams
	for _, row := range written {
		if row.Outcome == outcomes[succeeded] || row.Outcome == outcomes[failed] {
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

// disable makes the hooks inactive whose endpoints answered 410, and those that have done nothing but fail for Config.DisableAfter, and says
// which and why. What waits for them the sweep ends.
func (d *Dispatcher) disable(ctx context.Context, q *dbsqlc.Queries, batch []outcome, written []dbsqlc.WriteResultsRow, disabled map[uuid.UUID]string) error {
	counted := make(map[deliveryKey]bool, len(written))
	for _, row := range written {
		counted[deliveryKey{row.HookID, row.Position}] = true
	}
	var failing []uuid.UUID
	for _, o := range batch {
		switch {
		case !counted[deliveryKey{o.hook, o.position}]:
		case o.verdict == gone:
			active, err := q.DisableHook(ctx, dbsqlc.DisableHookParams{ID: o.hook, Reason: goneReason})
			if err != nil {
				return fmt.Errorf("disable hook: %w", err)
			}
			if active > 0 {
				disabled[o.hook] = goneReason
			}
		case (o.verdict == retry || o.verdict == failed) && !slices.Contains(failing, o.hook):
			failing = append(failing, o.hook)
		}
	}
	if len(failing) == 0 {
		return nil
	}
	rows, err := q.DisableFailing(ctx, dbsqlc.DisableFailingParams{Ids: failing, After: d.config.DisableAfter.Seconds()})
	if err != nil {
		return fmt.Errorf("disable failing hooks: %w", err)
	}
	for _, row := range rows {
		disabled[row.ID] = row.Reason
	}
	return nil
}

func resultParams(batch []outcome) dbsqlc.WriteResultsParams {
	var p dbsqlc.WriteResultsParams
	for _, o := range batch {
		p.HookIds, p.Positions, p.Claims = append(p.HookIds, o.hook), append(p.Positions, o.position), append(p.Claims, o.claim)
		p.Outcomes, p.Waits = append(p.Outcomes, outcomes[o.verdict]), append(p.Waits, o.wait.Seconds())
		p.Ats, p.Tooks, p.Triggers = append(p.Ats, o.at), append(p.Tooks, int32(o.Took.Microseconds())), append(p.Triggers, o.trigger)
		p.Statuses, p.Responses = append(p.Statuses, int32(o.Status)), append(p.Responses, o.Response)
		p.Faults, p.Errors = append(p.Faults, string(o.Fault)), append(p.Errors, o.Detail)
	}
	return p
}
