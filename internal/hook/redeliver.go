package hook

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/problem"
)

// Errors of Redeliver. Replay returns errInactive, too.
var (
	errInactive    = problem.New(problem.Conflict, "The hook is inactive. Make it active first.")
	errTasksPaused = problem.New(problem.Conflict,
		"The tasks of the workflow profile are paused by itemcast restore. Rotate the profile's secret to resume them.")
	errBeingSent  = problem.New(problem.Conflict, "The delivery is being sent. Wait for its result.")
	errChangeGone = problem.New(problem.Conflict, "The change has left the log, so there is nothing to send.")
)

// Redeliver sends a delivery again, whatever its state. It has the same id and, unless the hook's body setting has
// changed, the same bytes. Its retry schedule restarts. A delivery that waits for a retry is due at once. One of a task
// needs workflows.manage, too. A workflow takes the first end of a task's delivery: if that was a failure which failed
// the run, a redelivery does not change the run. Errors: NOT_FOUND; CONFLICT when it is being sent, when it waits for
// an earlier one, when the hook is inactive, and when the change has left the log.
func (s *Service) Redeliver(ctx context.Context, id uuid.UUID) (Delivery, error) {
	actor, sees, err := authorizeDeliveries(ctx)
	if err != nil {
		return Delivery{}, err
	}
	var d Delivery
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if err := q.LockGroups(ctx); err != nil {
			return fmt.Errorf("lock groups: %w", err)
		}
		before, _, err := s.getDelivery(ctx, q, actor.AccountID, id, sees)
		if err != nil {
			return err
		}
		h, err := q.RedeliveringTo(ctx, store.RedeliveringToParams{AccountID: actor.AccountID, ID: before.hook})
		if err != nil {
			return notFoundOr(fmt.Errorf("read hook: %w", err))
		}
		switch {
		case h.Active:
		case h.WorkflowProfileID != nil:
			return errTasksPaused
		default:
			return errInactive
		}
		if before.State == Pending {
			err = retryNow(ctx, q, actor.AccountID, before)
		} else {
			err = resend(ctx, q, actor.AccountID, h.Body == ThinBody, before)
		}
		if err != nil {
			return err
		}
		db.AfterCommit(ctx, func() { s.wake(before.hook) })
		d, _, err = s.getDelivery(ctx, q, actor.AccountID, id, sees)
		return err
	})
	return d, err
}

// retryNow makes a pending delivery due.
func retryNow(ctx context.Context, q *store.Queries, accountID uuid.UUID, d Delivery) error {
	switch *d.WaitsFor {
	case ForAnswer:
		return errBeingSent
	case ForEarlier:
		return errWaitsBehind(ctx, q, accountID, d)
	}
	updated, err := q.RetryDeliveryNow(ctx, store.RetryDeliveryNowParams{
		AccountID: accountID, HookID: d.hook, Position: d.position, Trigger: change.TriggerManual,
	})
	if err != nil {
		return fmt.Errorf("make delivery due: %w", err)
	}
	if updated == 0 { // claimed since it was read
		return errBeingSent
	}
	return nil
}

// errWaitsBehind names the delivery that a parked one waits for.
func errWaitsBehind(ctx context.Context, q *store.Queries, accountID uuid.UUID, d Delivery) error {
	ahead, err := q.DeliveryAhead(ctx, store.DeliveryAheadParams{
		AccountID: accountID, HookID: d.hook, ItemID: d.ItemID,
	})
	if err != nil {
		return fmt.Errorf("look for the delivery ahead: %w", err)
	}
	return problem.New(problem.Conflict,
		"The delivery waits behind the delivery %s of the same item. Redeliver that one.", ahead)
}

// resend puts a delivery that has ended into the queue again, before the later ones of its group. A later one that is
// being sent comes first.
func resend(ctx context.Context, q *store.Queries, accountID uuid.UUID, thin bool, d Delivery) error {
	if d.OccurredAt == nil {
		return errChangeGone
	}
	groups := store.ParkLaterParams{
		HookIds: []uuid.UUID{d.hook}, ItemIds: []uuid.UUID{d.ItemID}, Positions: []int64{d.position},
	}
	if err := q.ParkLater(ctx, groups); err != nil {
		return fmt.Errorf("park later deliveries: %w", err)
	}
	added, err := q.ResendDeliveries(ctx, store.ResendDeliveriesParams{
		Trigger: change.TriggerManual, HookIds: []uuid.UUID{d.hook}, Positions: []int64{d.position},
		Ids:        []uuid.UUID{d.ID},
		AccountIds: []uuid.UUID{accountID}, ItemIds: []uuid.UUID{d.ItemID}, ChangeIds: []int64{d.changeID},
		Revisions: []int64{d.Revision}, Kinds: []string{string(kinds[d.Event])}, Thins: []bool{thin},
	})
	if err != nil {
		return fmt.Errorf("insert delivery: %w", err)
	}
	if len(added) == 0 { // the lock of the groups excludes it: it was not pending when it was read
		return fmt.Errorf("insert delivery %s: it is pending already", d.ID)
	}
	err = q.PromoteIdle(ctx, store.PromoteIdleParams{HookIds: groups.HookIds, ItemIds: groups.ItemIds})
	if err != nil {
		return fmt.Errorf("make the first of the group due: %w", err)
	}
	return nil
}
