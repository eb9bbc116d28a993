package dispatch

import (
	"context"
	"errors"
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
	maxResults    = 512                  // of one transaction
	resultLinger  = 2 * time.Millisecond // how long a batch waits for more results
	resultTimeout = 5 * time.Second
	resultPause   = 100 * time.Millisecond // between retries
)

// writeResults writes outcomes in batches until the channel is closed. A delivery whose result cannot be written
// before its claim expires is sent again.
func (d *Dispatcher) writeResults(outcomes <-chan outcome) {
	health := newHealth(d.log, time.Now)
	for first := range outcomes {
		batch := gather(first, outcomes)
		for _, o := range batch {
			d.attempts.count(o.verdict)
			health.record(o)
		}
		for deadline := time.Now().Add(d.config.Slack); ; time.Sleep(resultPause) {
			err := d.write(batch)
			if err == nil {
				break
			}
			d.log.Warn("cannot write the results of deliveries; retrying", "results", len(batch), "error", err)
			if errors.Is(err, errTaskEnded) {
				d.writeSingly(batch)
				break
			}
			if time.Now().After(deadline) {
				break
			}
		}
	}
}

// writeSingly writes the outcomes of tasks each in a transaction, so that one whose end cannot be reported delays no
// other. That one is sent again when its claim expires.
func (d *Dispatcher) writeSingly(batch []outcome) {
	for _, o := range batch {
		if err := d.write([]outcome{o}); err != nil {
			d.log.Warn("cannot write the result of a workflow's task; it is sent again", "run_id", o.task.RunID,
				"task", o.task.Task, "error", err)
		}
	}
}

// gather returns first and the outcomes that arrive within resultLinger after it.
func gather(first outcome, outcomes <-chan outcome) []outcome {
	batch := []outcome{first}
	linger := time.NewTimer(resultLinger)
	defer linger.Stop()
	for len(batch) < maxResults {
		select {
		case o, open := <-outcomes:
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

// write records a batch, and makes the next delivery of each group due. It makes hooks inactive whose endpoints are
// gone or have failed for too long.
func (d *Dispatcher) write(batch []outcome) error {
	ctx, cancel := context.WithTimeout(context.Background(), resultTimeout)
	defer cancel()
	var due []uuid.UUID
	disabled := make(map[uuid.UUID]string)
	err := db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) error {
		q, later := store.New(tx), store.New(db.Deferred(tx))
		if err := later.LockGroups(ctx); err != nil {
			return fmt.Errorf("lock groups: %w", err)
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
		all := settledOf(batch, rows)
		if err := d.logAttempts(ctx, tx, all); err != nil {
			return err
		}
		if err := d.disable(ctx, tx, all, disabled); err != nil {
			return err
		}
		if batch[0].task == nil { // else all are tasks
			return nil
		}
		return d.reportTasks(ctx, tx, all)
	})
	if err != nil {
		return err
	}
	for id, reason := range disabled {
		d.log.Warn("made a hook inactive", "hook_id", id, "reason", reason)
	}
	for _, o := range batch {
		switch {
		case o.verdict == returned || o.limited:
			due = append(due, o.hook)
		case o.verdict == retry && o.wait < d.config.Sweep: // the sweep finds longer waits
			time.AfterFunc(o.wait, func() { d.Wake(o.hook) })
		}
	}
	d.Wake(due...)
	return nil
}

func settlement(batch []outcome) store.SettleDeliveriesParams {
	var p store.SettleDeliveriesParams
	for _, o := range batch {
		p.HookIds, p.Positions = append(p.HookIds, o.hook), append(p.Positions, o.position)
		p.Claims, p.Outcomes = append(p.Claims, o.claim), append(p.Outcomes, outcomeOf[o.verdict])
		p.Waits, p.Ats = append(p.Waits, o.wait.Seconds()), append(p.Ats, o.at)
		p.Statuses, p.Faults = append(p.Statuses, int32(o.Status)), append(p.Faults, string(o.Fault))
		p.Errors = append(p.Errors, o.Detail)
	}
	return p
}

// settledOf joins outcomes with the rows that they settled.
func settledOf(batch []outcome, rows []store.SettleDeliveriesRow) []settled {
	byKey := make(map[deliveryKey]outcome, len(batch))
	for _, o := range batch {
		byKey[deliveryKey{o.hook, o.position}] = o
	}
	all := make([]settled, len(rows))
	for i, row := range rows {
		all[i] = settled{byKey[deliveryKey{row.HookID, row.Position}], row}
	}
	return all
}

const goneReason = "The endpoint answered 410 Gone."

// disable makes the hooks inactive whose endpoints answered 410, and those whose attempts have all failed for
// Config.DisableAfter. It adds them to disabled, with the reason. The sweep ends what is pending for them.
func (d *Dispatcher) disable(ctx context.Context, tx pgx.Tx, all []settled, disabled map[uuid.UUID]string) error {
	var failing []uuid.UUID
	for _, s := range all {
		switch {
		case s.verdict == gone:
			wasActive, err := hook.Disable(ctx, tx, s.hook, goneReason)
			if err != nil {
				return err
			}
			if wasActive {
				disabled[s.hook] = goneReason
			}
		case (s.verdict == retry || s.verdict == failed) && !slices.Contains(failing, s.hook):
			failing = append(failing, s.hook)
		}
	}
	if len(failing) == 0 {
		return nil
	}
	rows, err := store.New(tx).DisableFailing(ctx, store.DisableFailingParams{
		Ids: failing, After: d.config.DisableAfter.Seconds(),
	})
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
