package dispatch

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/hook"
	"itemcast/internal/hook/internal/store"
)

// matched is a change and a hook that asks for it.
type matched struct {
	change *change.Change
	hook   *store.ActiveHooksOfRow
}

// group identifies the deliveries that arrive in order: those of one item to one hook.
type group struct{ hook, item uuid.UUID }

func (m matched) key() deliveryKey { return deliveryKey{m.hook.ID, int64(m.change.Position)} }

func (m matched) group() group { return group{m.hook.ID, m.change.ItemID} }

// row returns the delivery in the form in which it would be claimed from the queue.
func (m matched) row() store.ClaimDeliveriesRow {
	return store.ClaimDeliveriesRow{
		HookID: m.hook.ID, Position: int64(m.change.Position), ID: hook.DeliveryID(m.hook.ID, m.change),
		ItemID: m.change.ItemID, ChangeID: m.change.ID, Revision: m.change.Revision, Kind: string(m.change.Kind),
		Thin: m.hook.Body == hook.ThinBody, Url: m.hook.Url, Secret: m.hook.Secret, OldSecret: m.hook.OldSecret,
		Headers: m.hook.Headers, RateLimit: m.hook.RateLimit, MaxInFlight: m.hook.MaxInFlight,
	}
}

// match returns the deliveries to make, in the order of the log. It makes hooks inactive whose filters can no longer be
// applied.
func (d *Dispatcher) match(
	ctx context.Context, tx pgx.Tx, hooks []store.ActiveHooksOfRow, changes []*change.Change,
) ([]matched, error) {
	items := hook.NewDecodedItems(d.log)
	var deliveries []matched
	for n := range hooks {
		h := &hooks[n]
		d.limits.set(h.ID, h.RateLimit != nil || h.MaxInFlight != nil)
		wanted, err := d.matchers.Wanted(ctx, interestOf(h), changes, items)
		if reason := hook.StaleFilter(err); reason != "" {
			if _, err := hook.Disable(ctx, tx, h.ID, reason); err != nil {
				return nil, err
			}
			d.log.Warn("made a hook inactive", "hook_id", h.ID, "reason", reason)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("apply a hook's filter: %w", err)
		}
		for _, c := range wanted {
			if int64(c.Position) > h.AfterPosition && !slices.Contains(h.AfterChanges, c.ID) {
				deliveries = append(deliveries, matched{c, h})
			}
		}
	}
	slices.SortStableFunc(deliveries, func(a, b matched) int { return int(a.change.Position - b.change.Position) })
	return deliveries, nil
}

func interestOf(h *store.ActiveHooksOfRow) hook.Interest {
	return hook.Interest{
		Hook: h.ID, Account: h.AccountID, Events: h.Events, ChangedFields: h.ChangedFields, Filter: h.Filter,
		UpdatedAt: h.UpdatedAt,
	}
}
