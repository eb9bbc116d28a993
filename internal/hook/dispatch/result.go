package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/internal/store"
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
		q, deferred := store.New(tx), store.New(db.Deferred(tx))
		if err := deferred.LockGroups(ctx); err != nil {
			return fmt.Errorf("lock lines: %w", err)
		}
		rows, err := q.SettleDeliveries(ctx, settlement(batch))
		if err != nil {
			return fmt.Errorf("settle deliveries: %w", err)
		}
		for _, row := range rows {
			if row.More && !slices.Contains(due, row.HookID) {
				due = append(due, row.HookID)
			}
		}
		counted := count(batch, rows)
		if err := logAttempts(ctx, deferred, counted); err != nil {
			return err
		}
		return d.disable(ctx, tx, counted, disabled)
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
			time.AfterFunc(o.wait, func() { d.Wake(o.hook) })
		}
	}
	d.Wake(due...)
	return nil
}

// counted is an outcome whose claim still held, and the delivery's row.
type counted struct {
	outcome
	row store.SettleDeliveriesRow
}

func count(batch []outcome, rows []store.SettleDeliveriesRow) []counted {
	of := make(map[deliveryKey]outcome, len(batch))
	for _, o := range batch {
		of[deliveryKey{o.hook, o.position}] = o
	}
	all := make([]counted, len(rows))
	for i, row := range rows {
		all[i] = counted{of[deliveryKey{row.HookID, row.Position}], row}
	}
	return all
}

// logAttempts writes the log of what was attempted, and how the hooks fare.
func logAttempts(ctx context.Context, q *store.Queries, all []counted) error {
	var p store.LogAttemptsParams
	var health store.NoteHealthParams
	at := make(map[uuid.UUID]int)
	for _, c := range all {
		if c.verdict == returned {
			continue
		}
		p.Positions, p.HookIds, p.Numbers = append(p.Positions, c.position), append(p.HookIds, c.hook), append(p.Numbers, c.row.Number)
		p.Ids, p.AccountIds, p.ItemIds = append(p.Ids, c.row.ID), append(p.AccountIds, c.row.AccountID), append(p.ItemIds, c.row.ItemID)
		p.ChangeIds, p.Revisions, p.Kinds = append(p.ChangeIds, c.row.ChangeID), append(p.Revisions, c.row.Revision), append(p.Kinds, c.row.Kind)
		p.Triggers, p.CreatedAts, p.Ats = append(p.Triggers, c.trigger), append(p.CreatedAts, c.row.CreatedAt), append(p.Ats, c.at)
		p.Tooks, p.Outcomes = append(p.Tooks, int32(c.Took.Microseconds())), append(p.Outcomes, outcomes[c.verdict])
		p.Statuses, p.Responses = append(p.Statuses, int32(c.Status)), append(p.Responses, c.Response)
		p.Faults, p.Errors = append(p.Faults, string(c.Fault)), append(p.Errors, c.Detail)
		n, ok := at[c.hook]
		if !ok {
			n = len(health.HookIds)
			at[c.hook] = n
			health.HookIds, health.Works, health.Errors = append(health.HookIds, c.hook), append(health.Works, false), append(health.Errors, "")
		}
		if c.verdict == succeeded {
			health.Works[n] = true
		} else {
			health.Errors[n] = c.Detail
		}
	}
	if len(p.HookIds) == 0 {
		return nil
	}
	if err := q.LogAttempts(ctx, p); err != nil {
		return fmt.Errorf("log attempts: %w", err)
	}
	if err := q.NoteHealth(ctx, health); err != nil {
		return fmt.Errorf("note how hooks fare: %w", err)
	}
	return nil
}

const goneReason = "The endpoint answered 410 Gone."

// disable makes the hooks inactive whose endpoints answered 410, and those that have done nothing but fail for Config.DisableAfter, and says
// which and why. What waits for them the sweep ends.
func (d *Dispatcher) disable(ctx context.Context, tx pgx.Tx, all []counted, disabled map[uuid.UUID]string) error {
	var failing []uuid.UUID
	for _, c := range all {
		switch {
		case c.verdict == gone:
			wasActive, err := hook.Disable(ctx, tx, c.hook, goneReason)
			if err != nil {
				return err
			}
			if wasActive {
				disabled[c.hook] = goneReason
			}
		case (c.verdict == retry || c.verdict == failed) && !slices.Contains(failing, c.hook):
			failing = append(failing, c.hook)
		}
	}
	if len(failing) == 0 {
		return nil
	}
	rows, err := store.New(tx).DisableFailing(ctx, store.DisableFailingParams{Ids: failing, After: d.config.DisableAfter.Seconds()})
	if err != nil {
		return fmt.Errorf("disable failing hooks: %w", err)
	}
	for _, row := range rows {
		disabled[row.ID] = row.Reason
		if err := hook.AuditDisabled(ctx, tx, row.AccountID, row.ID, row.Reason); err != nil {
			return err
		}
	}
	return nil
}

func settlement(batch []outcome) store.SettleDeliveriesParams {
	var p store.SettleDeliveriesParams
	for _, o := range batch {
		p.HookIds, p.Positions, p.Claims = append(p.HookIds, o.hook), append(p.Positions, o.position), append(p.Claims, o.claim)
		p.Outcomes, p.Waits, p.Ats = append(p.Outcomes, outcomes[o.verdict]), append(p.Waits, o.wait.Seconds()), append(p.Ats, o.at)
		p.Statuses, p.Faults, p.Errors = append(p.Statuses, int32(o.Status)), append(p.Faults, string(o.Fault)), append(p.Errors, o.Detail)
	}
	return p
}
