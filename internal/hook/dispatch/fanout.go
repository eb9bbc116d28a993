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
	consumer    = "hook" // the name of the durable consumer
	termTimeout = time.Second
	maxFanOut   = 500 // deliveries of one fan-out, rounded up to whole changes
)

// fanOut inserts a delivery for each change and each hook that asks for it, exactly once: it is the work of a durable
// consumer. It first sends directly to hooks that answer quickly, and inserts only what has not arrived (direct.go).
func (d *Dispatcher) fanOut(ctx context.Context, tx pgx.Tx, changes []*change.Change) (handled int, err error) {
	d.abandonSent()
	d.awaitTerm(ctx)
	q, later := store.New(tx), store.New(db.Deferred(tx))
	hooks, err := q.ActiveHooksOf(ctx, accountsOf(changes))
	if err != nil {
		return 0, fmt.Errorf("read hooks: %w", err)
	}
	if targets := taskTargets(changes); targets != nil {
		hidden, err := q.TaskHooks(ctx, targets)
		if err != nil {
			return 0, fmt.Errorf("read the hooks of workflows: %w", err)
		}
		for _, h := range hidden {
			hooks = append(hooks, store.ActiveHooksOfRow(h))
		}
	}
	deliveries, err := d.match(ctx, tx, hooks, changes)
	if err != nil || len(deliveries) == 0 {
		return len(changes), err
	}
	changes, deliveries = firstPart(changes, deliveries)
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
	if err := later.CommitLater(ctx); err != nil {
		return 0, fmt.Errorf("set synchronous_commit: %w", err)
	}
	if rest := sent.rest(deliveries); len(rest) > 0 {
		// Lock as late as possible: filters and endpoints may be slow.
		if err := later.LockGroups(ctx); err != nil {
			return 0, fmt.Errorf("lock groups: %w", err)
		}
		if due, err = q.InsertDeliveries(ctx, d.insertion(rest, sent)); err != nil {
			return 0, fmt.Errorf("insert deliveries: %w", err)
		}
	}
	return len(changes), sent.log(ctx, tx)
}

// abandonSent ends the direct sending of a fan-out whose transaction was rolled back.
func (d *Dispatcher) abandonSent() {
	d.unsettled.settle(false)
	d.unsettled = directSent{}
}

// awaitTerm waits, after a start or a loss of presence, until the node may send, so that the first fan-out can send
// directly. It does so once: a node without presence must not delay the log.
func (d *Dispatcher) awaitTerm(ctx context.Context) {
	if _, ok := d.presence.term(); ok {
		d.awaited = false
		return
	}
	if !d.awaited && d.running.Load() {
		d.presence.await(ctx, termTimeout)
		d.awaited = true
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

// taskTargets returns the hidden hooks that receive the changes for workflows' tasks; nil: there is no such change.
func taskTargets(changes []*change.Change) (hooks []uuid.UUID) {
	for _, c := range changes {
		if c.Task != nil && !slices.Contains(hooks, c.Targets[0]) {
			hooks = append(hooks, c.Targets[0])
		}
	}
	return hooks
}

// firstPart returns as many of the changes, with their deliveries, as one transaction handles: later changes wait until
// it commits.
func firstPart(changes []*change.Change, deliveries []matched) ([]*change.Change, []matched) {
	if len(deliveries) <= maxFanOut {
		return changes, deliveries
	}
	last := deliveries[maxFanOut-1].change.Position
	beyond := func(m matched) bool { return m.change.Position > last }
	if n := slices.IndexFunc(deliveries, beyond); n >= 0 {
		deliveries = deliveries[:n]
	}
	return changes[:slices.IndexFunc(changes, func(c *change.Change) bool { return c.Position == last })+1], deliveries
}

// insertion returns the rows of deliveries. Those that direct sending has in flight are inserted as claimed by this
// node; the others are due or parked.
func (d *Dispatcher) insertion(deliveries []matched, sent directSent) store.InsertDeliveriesParams {
	p := store.InsertDeliveriesParams{Lease: d.config.lease().Seconds()}
	if sent.round != nil {
		p.Claim, p.Node = sent.round.claim, sent.round.term.node
	}
	seen := make(map[group]bool, len(deliveries))
	for _, m := range deliveries {
		c := m.change
		p.HookIds, p.Positions = append(p.HookIds, m.hook.ID), append(p.Positions, int64(c.Position))
		p.Ids = append(p.Ids, hook.DeliveryID(m.hook.ID, c))
		p.AccountIds, p.ItemIds = append(p.AccountIds, c.AccountID), append(p.ItemIds, c.ItemID)
		p.ChangeIds, p.Revisions = append(p.ChangeIds, c.ID), append(p.Revisions, c.Revision)
		p.Kinds, p.Thins = append(p.Kinds, string(c.Kind)), append(p.Thins, m.hook.Body == hook.ThinBody)
		p.Firsts, p.Claimeds = append(p.Firsts, !seen[m.group()]), append(p.Claimeds, sent.inFlight[m.key()])
		seen[m.group()] = true
	}
	return p
}
