package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/problem"
)

// byReplay is the trigger of a delivery that a replay made.
const byReplay = "replay"

// Bounds of a replay.
const (
	replayStep    = 250 * time.Millisecond // of deliveries are made at once
	replayLook    = 500                    // changes of the log, at once
	replayPending = 1000                   // deliveries of the hook, from which on it waits for them
	replaySteps   = 20                     // of all replays, one after the other, before the next look
)

// replay makes the deliveries of replays that are due, of all hooks, until ctx ends. Any node does; each step is one's.
func (d *Dispatcher) replay(ctx context.Context) {
	for {
		for range replaySteps {
			stepped, err := d.replayOnce(ctx)
			if err != nil && ctx.Err() == nil {
				d.log.Warn("cannot go on with a replay; trying again", "err", err)
			}
			if err != nil || !stepped {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(replayStep, d.config.Sweep)):
		}
	}
}

// replayOnce takes one step of the replay that has waited longest; stepped is false when none is due.
func (d *Dispatcher) replayOnce(ctx context.Context) (stepped bool, err error) {
	err = db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.DueReplay(ctx, replayPending)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read replay: %w", err)
		}
		stepped = true
		step := store.AdvanceReplayParams{HookID: row.HookID, Position: row.Position, Pause: replayStep.Seconds()}
		switch {
		case !row.Active:
			step.Ended, step.Error = true, new("The hook was made inactive.")
		case row.Pending < replayPending:
			if err := d.resendPast(ctx, tx, row, &step); err != nil {
				return err
			}
		}
		if err := q.AdvanceReplay(ctx, step); err != nil {
			return fmt.Errorf("advance replay: %w", err)
		}
		if step.Made > 0 {
			db.AfterCommit(ctx, func() { d.Wake(row.HookID) })
		}
		return nil
	})
	return stepped, err
}

// resendPast makes the deliveries of a step.
func (d *Dispatcher) resendPast(ctx context.Context, tx pgx.Tx, row store.DueReplayRow, step *store.AdvanceReplayParams) error {
	changes, err := d.feed.Read(ctx, change.Position(row.Position), int(min(replayLook, row.ToPosition-row.Position)))
	if problem.Is(err, problem.CursorExpired) {
		step.Ended, step.Error = true, new("The log no longer keeps what was to come next.")
		return nil
	}
	if err != nil || len(changes) == 0 && row.Position < row.ToPosition { // this node's feed has not come so far yet
		return err
	}
	wanted, err := d.matchers.Wanted(ctx, hook.Interest{Hook: row.HookID, Account: row.AccountID, Events: row.Events, ChangedFields: row.ChangedFields,
		Filter: row.Filter, UpdatedAt: row.UpdatedAt}, since(changes, row.Since), hook.NewDecoded())
	if reason := hook.StaleFilter(err); reason != "" {
		step.Ended, step.Error = true, &reason
		return nil
	}
	if err != nil {
		return err
	}
	step.Position, step.Pause = row.ToPosition, 0
	if len(changes) > 0 && row.ToPosition-row.Position > int64(len(changes)) {
		step.Position = int64(changes[len(changes)-1].Position)
	}
	if most := max(1, int(float64(row.Rate)*replayStep.Seconds())); len(wanted) > most {
		wanted = wanted[:most]
		step.Position = int64(wanted[most-1].Position)
	}
	step.Ended = step.Position >= row.ToPosition
	if len(wanted) == 0 {
		return nil
	}
	q := store.New(tx)
	if err := store.New(db.Deferred(tx)).LockGroups(ctx); err != nil {
		return fmt.Errorf("lock lines: %w", err)
	}
	made, err := q.ResendDeliveries(ctx, resendParams(byReplay, row.HookID, row.Body, wanted))
	if err != nil {
		return fmt.Errorf("insert deliveries: %w", err)
	}
	step.Made = int64(len(made))
	step.Pause = float64(len(wanted)) / float64(row.Rate)
	return nil
}

// resendParams are deliveries of changes, in the log's order, to a hook.
func resendParams(trigger string, hookID uuid.UUID, body string, changes []*change.Change) store.ResendDeliveriesParams {
	p := store.ResendDeliveriesParams{Trigger: trigger}
	seen := make(map[uuid.UUID]bool)
	for _, c := range changes {
		p.HookIds, p.Positions = append(p.HookIds, hookID), append(p.Positions, int64(c.Position))
		p.Ids = append(p.Ids, hook.DeliveryID(hookID, c))
		p.AccountIds, p.ItemIds = append(p.AccountIds, c.AccountID), append(p.ItemIds, c.ItemID)
		p.ChangeIds, p.Revisions = append(p.ChangeIds, c.ID), append(p.Revisions, c.Revision)
		p.Kinds, p.Thins = append(p.Kinds, string(c.Kind)), append(p.Thins, body == hook.ThinBody)
		p.Firsts = append(p.Firsts, !seen[c.ItemID])
		seen[c.ItemID] = true
	}
	return p
}

// since returns the changes that were made at a time or later; nil: all.
func since(changes []*change.Change, t *time.Time) []*change.Change {
	if t == nil {
		return changes
	}
	var later []*change.Change
	for _, c := range changes {
		if !c.OccurredAt.Before(*t) {
			later = append(later, c)
		}
	}
	return later
}
