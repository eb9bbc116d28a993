package dispatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
)

const (
	maxEnded      = 1000 // deliveries of one transaction, which holds the lock of the groups
	maxEndBatches = 20   // of one sweep, for all hooks: the other tasks of the sweep wait
)

// taskHookSweeps is the number of sweeps for each look for hidden hooks to delete: nobody waits for that.
const taskHookSweeps = 10

// endInactive ends the pending deliveries of inactive hooks, in batches, and removes deleted hooks. It ends the newest
// deliveries first. So the head of a group goes last, and the group still has a due delivery if the hook becomes
// active again meanwhile. After a redelivery the head may be newer than the rest; then endBatch promotes the rest.
func (d *Dispatcher) endInactive(ctx context.Context) error {
	if now := time.Now(); now.Sub(d.taskHooksSwept) >= taskHookSweeps*d.config.Sweep {
		if err := store.New(d.pool).DeleteTaskHooks(ctx); err != nil {
			return fmt.Errorf("delete the hooks of workflow profiles: %w", err)
		}
		d.taskHooksSwept = now
	}
	hooks, err := store.New(d.pool).InactiveHooks(ctx)
	if err != nil {
		return err
	}
	var errs error
	left := maxEndBatches
	for _, h := range hooks {
		var err error
		ended := int64(maxEnded)
		for ; left > 0 && ended == maxEnded && err == nil; left-- {
			ended, err = d.endBatch(ctx, h)
		}
		if err == nil && h.Deleted && ended < maxEnded {
			_, err = store.New(d.pool).ForgetHook(ctx, h.ID)
		}
		if err != nil { // the other hooks still get their turn
			errs = errors.Join(errs, fmt.Errorf("hook %s: %w", h.ID, err))
		}
	}
	return errs
}

func (d *Dispatcher) endBatch(ctx context.Context, h store.InactiveHooksRow) (ended int64, err error) {
	err = db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		q := store.New(tx)
		if err := q.LockGroups(ctx); err != nil {
			return err
		}
		if h.Deleted {
			ended, err = q.DropPending(ctx, store.DropPendingParams{HookID: h.ID, Batch: maxEnded})
			return err
		}
		rows, err := q.FailPending(ctx, store.FailPendingParams{HookID: h.ID, Batch: maxEnded, Reason: h.Reason})
		if err != nil {
			return err
		}
		ended = int64(len(rows))
		var headless store.PromoteNextParams
		for _, row := range rows {
			if row.Led {
				headless.HookIds = append(headless.HookIds, h.ID)
				headless.ItemIds = append(headless.ItemIds, row.ItemID)
			}
		}
		if len(headless.HookIds) > 0 {
			if _, err = q.PromoteNext(ctx, headless); err != nil {
				return err
			}
		}
		return d.tasksEnded(ctx, tx, failedTasks(rows, strings.TrimSuffix(h.Reason, ".")))
	})
	return ended, err
}
