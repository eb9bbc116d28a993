package hook

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/db/dbsqlc"
)

const consumer = "hook"

// line is what stays in order: the deliveries of one item to one hook.
type line struct{ hook, item uuid.UUID }

// fanOut inserts a delivery for each change and hook that wants it, as the work of a durable consumer: exactly once.
func (d *Dispatcher) fanOut(ctx context.Context, tx pgx.Tx, changes []*change.Change) error {
	q := dbsqlc.New(tx)
	// Hooks are read under the lock too: a hook that is just being disabled is not given a delivery that nobody would fail.
	if err := dbsqlc.New(db.Later(tx)).LockLines(ctx); err != nil {
		return fmt.Errorf("lock lines: %w", err)
	}
	hooks, err := q.ActiveHooksOf(ctx, accountsOf(changes))
	if err != nil {
		return fmt.Errorf("read hooks: %w", err)
	}
	rows := deliveries(changes, hooks)
	if len(rows.Ids) == 0 {
		return nil
	}
	if err := q.InsertDeliveries(ctx, rows); err != nil {
		return fmt.Errorf("insert deliveries: %w", err)
	}
	d.announcements.add(rows.HookIds)
	return nil
}

// announce tells the dispatcher of what fanOut has inserted, once it is committed: until then the fan-out holds the lock of the lines.
// After a rollback the dispatcher looks in vain.
func (d *Dispatcher) announce(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.announcements.added:
		}
		hooks := d.announcements.take()
		if err := dbsqlc.New(d.pool).AwaitLines(ctx); err != nil {
			continue // the sweep finds them
		}
		d.look(hooks...)
	}
}

func accountsOf(changes []*change.Change) []uuid.UUID {
	var accounts []uuid.UUID
	for _, c := range changes {
		if !slices.Contains(accounts, c.AccountID) {
			accounts = append(accounts, c.AccountID)
		}
	}
	return accounts
}

// deliveries matches changes with the hooks of their accounts, in the log's order.
func deliveries(changes []*change.Change, hooks []dbsqlc.ActiveHooksOfRow) dbsqlc.InsertDeliveriesParams {
	byAccount := make(map[uuid.UUID][]dbsqlc.ActiveHooksOfRow)
	for _, h := range hooks {
		byAccount[h.AccountID] = append(byAccount[h.AccountID], h)
	}
	var rows dbsqlc.InsertDeliveriesParams
	seen := make(map[line]bool)
	for _, c := range changes {
		for _, h := range byAccount[c.AccountID] {
			if !wants(h, c) {
				continue
			}
			l := line{h.ID, c.ItemID}
			rows.Ids = append(rows.Ids, uuid.Must(uuid.NewV7())) // fails only without a source of randomness
			rows.AccountIds = append(rows.AccountIds, c.AccountID)
			rows.HookIds = append(rows.HookIds, h.ID)
			rows.ItemIds = append(rows.ItemIds, c.ItemID)
			rows.ChangeIds = append(rows.ChangeIds, c.ID)
			rows.Positions = append(rows.Positions, int64(c.Position))
			rows.Firsts = append(rows.Firsts, !seen[l])
			seen[l] = true
		}
	}
	return rows
}

// wants reports whether a hook is sent a change of its account. A trigger that names its targets goes to exactly those.
func wants(h dbsqlc.ActiveHooksOfRow, c *change.Change) bool {
	if int64(c.Position) <= h.AfterPosition || slices.Contains(h.AfterChanges, c.ID) {
		return false
	}
	if c.Kind == change.Triggered && c.Targets != nil {
		return slices.Contains(c.Targets, h.ID)
	}
	return slices.Contains(h.Events, events[c.Kind])
}
