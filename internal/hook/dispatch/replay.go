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

// triggerReplay is the trigger of deliveries that a replay creates.
const triggerReplay = "replay"

const (
	replayStep       = 250 * time.Millisecond // one transaction creates the deliveries of this time
	maxReplayChanges = 500                    // of the log, read in one step
	maxReplayPending = 1000                   // deliveries of the hook; a replay waits until there are fewer
	maxReplaySteps   = 20                     // of all replays, before the next pause
)

// replay creates the deliveries of replays, of all hooks, until ctx ends. Every node does it; each step is one
// transaction of one node.
func (d *Dispatcher) replay(ctx context.Context) {
	for {
		for range maxReplaySteps {
			stepped, err := d.stepReplay(ctx)
			if err != nil && ctx.Err() == nil {
				d.log.Warn("cannot continue a replay; retrying", "error", err)
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

// stepReplay takes one step of the replay that has waited longest; stepped is false when none is due.
func (d *Dispatcher) stepReplay(ctx context.Context) (stepped bool, err error) {
	err = db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.DueReplay(ctx, maxReplayPending)
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
		case row.Pending < maxReplayPending:
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

// resendPast creates the deliveries of one step.
func (d *Dispatcher) resendPast(
	ctx context.Context, tx pgx.Tx, row store.DueReplayRow, step *store.AdvanceReplayParams,
) error {
	limit := int(min(maxReplayChanges, row.ToPosition-row.Position))
	changes, err := d.feed.Read(ctx, change.Position(row.Position), limit)
	if problem.Is(err, problem.CursorExpired) {
		step.Ended, step.Error = true, new("The next change has left the log.")
		return nil
	}
	if err != nil || len(changes) == 0 && row.Position < row.ToPosition { // this node's feed has not read so far yet
		return err
	}
	wanted, err := d.matchers.Wanted(ctx, hook.Interest{
		Hook: row.HookID, Account: row.AccountID, Events: row.Events, ChangedFields: row.ChangedFields,
		Filter: row.Filter, UpdatedAt: row.UpdatedAt,
	}, since(changes, row.Since), hook.NewDecodedItems(d.log))
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
	if paced := max(1, int(float64(row.Rate)*replayStep.Seconds())); len(wanted) > paced {
		wanted = wanted[:paced]
		step.Position = int64(wanted[paced-1].Position)
	}
	step.Ended = step.Position >= row.ToPosition
	if len(wanted) == 0 {
		return nil
	}
	sent, made, err := resend(ctx, tx, row, wanted)
	if err != nil {
		return err
	}
	step.Made = int64(made)
	step.Pause = float64(sent) / float64(row.Rate)
	if sent < len(wanted) {
		step.Position, step.Ended = int64(wanted[sent].Position)-1, false
		step.Pause = max(step.Pause, replayStep.Seconds())
	}
	return nil
}

// resend puts changes into the queue again, before the later ones of their groups, and returns how many it handled and
// how many of those were not pending. It stops before a change that is being sent at the moment although an earlier one
// of its item comes again: when that has succeeded, it must be sent once more, so that the receiver ends with it.
func resend(
	ctx context.Context, tx pgx.Tx, row store.DueReplayRow, wanted []*change.Change,
) (handled, made int, err error) {
	q, later := store.New(tx), store.New(db.Deferred(tx))
	if err := later.LockGroups(ctx); err != nil {
		return 0, 0, fmt.Errorf("lock groups: %w", err)
	}
	groups := groupsOf(row.HookID, wanted)
	if err := later.ParkLater(ctx, groups); err != nil {
		return 0, 0, fmt.Errorf("park later deliveries: %w", err)
	}
	all := resending(row.HookID, row.Body, wanted)
	busy, err := q.BeingSent(ctx, store.BeingSentParams{HookID: row.HookID, Positions: all.Positions})
	if err != nil {
		return 0, 0, fmt.Errorf("find what is being sent: %w", err)
	}
	handled = untilOvertaken(wanted, busy)
	if handled > 0 {
		added, err := q.ResendDeliveries(ctx, resending(row.HookID, row.Body, wanted[:handled]))
		if err != nil {
			return 0, 0, fmt.Errorf("insert deliveries: %w", err)
		}
		made = len(added)
	}
	err = later.PromoteIdle(ctx, store.PromoteIdleParams{HookIds: groups.HookIds, ItemIds: groups.ItemIds})
	if err != nil {
		return 0, 0, fmt.Errorf("make the first of each group due: %w", err)
	}
	return handled, made, nil
}

// groupsOf returns the groups of changes to a hook, each with its first position.
func groupsOf(hookID uuid.UUID, changes []*change.Change) (p store.ParkLaterParams) {
	seen := make(map[uuid.UUID]bool)
	for _, c := range changes {
		if !seen[c.ItemID] {
			seen[c.ItemID] = true
			p.HookIds, p.ItemIds = append(p.HookIds, hookID), append(p.ItemIds, c.ItemID)
			p.Positions = append(p.Positions, int64(c.Position))
		}
	}
	return p
}

// untilOvertaken returns the number of changes before the first that is being sent and has an earlier one of its item
// before it: among the changes, or pending.
func untilOvertaken(changes []*change.Change, busy []store.BeingSentRow) int {
	overtaken := make(map[int64]bool, len(busy))
	for _, row := range busy {
		overtaken[row.Position] = row.Overtaken
	}
	seen := make(map[uuid.UUID]bool)
	for n, c := range changes {
		pending, isBusy := overtaken[int64(c.Position)]
		if isBusy && (pending || seen[c.ItemID]) {
			return n
		}
		seen[c.ItemID] = true
	}
	return len(changes)
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

// resending returns the rows of deliveries that send changes to a hook again, in the order of the log.
func resending(hookID uuid.UUID, body string, changes []*change.Change) store.ResendDeliveriesParams {
	p := store.ResendDeliveriesParams{Trigger: triggerReplay}
	for _, c := range changes {
		p.HookIds, p.Positions = append(p.HookIds, hookID), append(p.Positions, int64(c.Position))
		p.Ids = append(p.Ids, hook.DeliveryID(hookID, c))
		p.AccountIds, p.ItemIds = append(p.AccountIds, c.AccountID), append(p.ItemIds, c.ItemID)
		p.ChangeIds, p.Revisions = append(p.ChangeIds, c.ID), append(p.Revisions, c.Revision)
		p.Kinds, p.Thins = append(p.Kinds, string(c.Kind)), append(p.Thins, body == hook.ThinBody)
	}
	return p
}
