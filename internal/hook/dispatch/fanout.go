package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook"
	"itemcast/internal/hook/internal/store"
)

const (
	consumer     = "hook"
	termPatience = time.Second
	fanOutMost   = 500 // deliveries, and those of one change more
)

// line is what stays in order: the deliveries of one item to one hook.
type line struct{ hook, item uuid.UUID }

// fanOut inserts a delivery for each change and each hook that wants it, as the work of a durable consumer: exactly once.
// It first sends directly to hooks that answer quickly, and then inserts only what has not arrived (direct.go).
func (d *Dispatcher) fanOut(ctx context.Context, tx pgx.Tx, changes []*change.Change) (handled int, err error) {
	d.abandonSent()
	d.awaitTerm(ctx)
	q, deferred := store.New(tx), store.New(db.Deferred(tx))
	hooks, err := q.ActiveHooksOf(ctx, accountsOf(changes))
	if err != nil {
		return 0, fmt.Errorf("read hooks: %w", err)
	}
	deliveries, err := d.match(ctx, tx, hooks, changes)
	if err != nil || len(deliveries) == 0 {
		return len(changes), err
	}
	changes, deliveries = portion(changes, deliveries)
	sent, err := d.sendDirectly(ctx, q, deliveries)
	if err != nil {
		return 0, err
	}
	d.unsettled = sent
	var due []uuid.UUID
	db.AfterCommit(ctx, func() {
		d.unsettled = directSent{}
		sent.settle(true)
		d.Wake(due...)
	})
	if err := deferred.CommitLater(ctx); err != nil {
		return 0, fmt.Errorf("set synchronous_commit: %w", err)
	}
	if rest := sent.rest(deliveries); len(rest) > 0 {
		if err := deferred.LockGroups(ctx); err != nil { // only now: filters and endpoints take their time
			return 0, fmt.Errorf("lock lines: %w", err)
		}
		if due, err = q.InsertDeliveries(ctx, d.insertion(rest, sent)); err != nil {
			return 0, fmt.Errorf("insert deliveries: %w", err)
		}
	}
	return len(changes), sent.log(ctx, deferred)
}

// abandonSent ends the direct sending of a fan-out whose transaction was rolled back.
func (d *Dispatcher) abandonSent() {
	d.unsettled.settle(false)
	d.unsettled = directSent{}
}

// portion is as many of the changes, and what is to be delivered of them, as are done in one go: who waits for the next is not to wait for long.
func portion(changes []*change.Change, deliveries []matched) ([]*change.Change, []matched) {
	if len(deliveries) <= fanOutMost {
		return changes, deliveries
	}
	last := deliveries[fanOutMost-1].change.Position
	beyond := func(m matched) bool { return m.change.Position > last }
	if n := slices.IndexFunc(deliveries, beyond); n >= 0 {
		deliveries = deliveries[:n]
	}
	return changes[:slices.IndexFunc(changes, func(c *change.Change) bool { return c.Position == last })+1], deliveries
}

// awaitTerm waits, after a start or a loss of presence, until the node may send, so that the first fan-out can send directly.
// It does so once: a node without presence must not hold up the log.
func (d *Dispatcher) awaitTerm(ctx context.Context) {
	if _, ok := d.presence.term(); ok {
		d.awaited = false
		return
	}
	if !d.awaited && d.running.Load() {
		d.presence.await(ctx, termPatience)
		d.awaited = true
	}
}

// matched is a change and a hook that wants it.
type matched struct {
	change *change.Change
	hook   *store.ActiveHooksOfRow
}

func (m matched) key() deliveryKey { return deliveryKey{m.hook.ID, int64(m.change.Position)} }

// match returns what is to be delivered, in the log's order. Hooks whose filters can be applied no more it makes inactive.
func (d *Dispatcher) match(ctx context.Context, tx pgx.Tx, hooks []store.ActiveHooksOfRow, changes []*change.Change) ([]matched, error) {
	items := hook.NewDecoded()
	var deliveries []matched
	for n := range hooks {
		h := &hooks[n]
		d.limited.tell(h.ID, h.RateLimit != nil || h.MaxInFlight != nil)
		wanted, err := d.matchers.Wanted(ctx, interestOf(h), changes, items)
		if reason := hook.StaleFilter(err); reason != "" {
			if _, err := hook.Disable(ctx, tx, h.ID, reason); err != nil {
				return nil, err
			}
			d.log.Warn("a hook was made inactive", "hook", h.ID, "reason", reason)
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
	return hook.Interest{Hook: h.ID, Account: h.AccountID, Events: h.Events, ChangedFields: h.ChangedFields, Filter: h.Filter, UpdatedAt: h.UpdatedAt}
}

// insertion is the rows of deliveries. What direct sending has in flight is inserted as claimed by this node; the rest is due, or parked.
func (d *Dispatcher) insertion(deliveries []matched, sent directSent) store.InsertDeliveriesParams {
	p := store.InsertDeliveriesParams{Lease: d.config.lease().Seconds()}
	if sent.round != nil {
		p.Claim, p.Node = sent.round.claim, sent.round.term.node
	}
	seen := make(map[line]bool, len(deliveries))
	for _, m := range deliveries {
		l := line{m.hook.ID, m.change.ItemID}
		p.HookIds, p.Positions = append(p.HookIds, m.hook.ID), append(p.Positions, int64(m.change.Position))
		p.Ids = append(p.Ids, hook.DeliveryID(m.hook.ID, m.change))
		p.AccountIds, p.ItemIds = append(p.AccountIds, m.change.AccountID), append(p.ItemIds, m.change.ItemID)
		p.ChangeIds, p.Revisions = append(p.ChangeIds, m.change.ID), append(p.Revisions, m.change.Revision)
		p.Kinds, p.Thins = append(p.Kinds, string(m.change.Kind)), append(p.Thins, m.hook.Body == hook.ThinBody)
		p.Firsts, p.Claimeds = append(p.Firsts, !seen[l]), append(p.Claimeds, sent.inFlight[m.key()])
		seen[l] = true
	}
	return p
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
