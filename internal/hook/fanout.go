package hook

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
)

const (
	consumer     = "hook"
	termPatience = time.Second
	fanOutMost   = 500 // deliveries, and those of one change more
)

// line is what stays in order: the deliveries of one item to one hook.
type line struct{ hook, item uuid.UUID }

// fanOut inserts a delivery for each change and hook that wants it, as the work of a durable consumer: exactly once. Hooks that answer quickly
// it sends theirs first, and inserts only what has not arrived (direct.go). Of the rest it claims what leads its line in the same statement, as
// far as this node has slots free: that is sent the moment that it is committed, from memory.
func (d *Dispatcher) fanOut(ctx context.Context, tx pgx.Tx, changes []*change.Change) (handled int, err error) {
	d.giveUp() // what the last one claimed, if it was rolled back
	d.awaitTerm(ctx)
	q, later := store.New(tx), store.New(db.Later(tx))
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
	b := d.expect(sent, sent.rest(deliveries))
	db.AfterCommit(ctx, func() { d.deliverBorn(b) })
	if err := later.CommitLater(ctx); err != nil {
		return 0, fmt.Errorf("let the disk take its time: %w", err)
	}
	if len(b.deliveries) > 0 {
		if err := later.LockLines(ctx); err != nil { // after the filters and the endpoints, which take their time
			return 0, fmt.Errorf("lock lines: %w", err)
		}
		if b.rows, err = q.InsertDeliveries(ctx, b.insertion); err != nil {
			return 0, fmt.Errorf("insert deliveries: %w", err)
		}
	}
	return len(changes), sent.log(ctx, later)
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

// awaitTerm waits for the node to be able to send, at a start or after a loss, so that not all that has come meanwhile goes by way of the queue.
// It does so once: a node that cannot tell the others of itself does not hold up the log.
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
	items := newDecoded()
	var deliveries []matched
	for n := range hooks {
		h := &hooks[n]
		d.limited.tell(h.ID, h.RateLimit != nil || h.MaxInFlight != nil)
		wanted, err := d.judge.wanted(ctx, interestOf(h), changes, items)
		if reason := staleFilter(err); reason != "" {
			if _, err := makeInactive(ctx, tx, h.ID, reason); err != nil {
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

func interestOf(h *store.ActiveHooksOfRow) interest {
	return interest{hook: h.ID, account: h.AccountID, events: h.Events, changedFields: h.ChangedFields, filter: h.Filter, updatedAt: h.UpdatedAt}
}

// birth is deliveries that are being inserted, of which some are claimed at once.
type birth struct {
	deliveries []matched
	insertion  store.InsertDeliveriesParams
	rows       []store.InsertDeliveriesRow
	sent       *direct // what was sent before; nil: nothing
	term       term
	expires    time.Time
	hooks      []uuid.UUID // with the slots that are reserved for them
	reserved   []int32
}

// expect makes ready for an insertion, and reserves slots for what it may claim.
func (d *Dispatcher) expect(sent *direct, deliveries []matched) *birth {
	b := &birth{deliveries: deliveries, sent: sent, expires: time.Now().Add(d.config.lease())}
	b.term, _ = d.presence.term()
	claim := uuid.New()
	if sent != nil {
		b.term, b.expires, claim = sent.term, sent.expires, sent.claim
	}
	seen := make(map[line]bool, len(deliveries))
	leading := make(map[uuid.UUID]int32) // per hook, what can lead a line and be claimed here
	p := &b.insertion
	p.Claim, p.Node, p.Lease = claim, b.term.node, d.config.lease().Seconds()
	for _, m := range deliveries {
		l := line{m.hook.ID, m.change.ItemID}
		p.HookIds, p.Positions = append(p.HookIds, m.hook.ID), append(p.Positions, int64(m.change.Position))
		p.Ids = append(p.Ids, deliveryID(m.hook.ID, m.change))
		p.AccountIds, p.ItemIds = append(p.AccountIds, m.change.AccountID), append(p.ItemIds, m.change.ItemID)
		p.ChangeIds, p.Revisions = append(p.ChangeIds, m.change.ID), append(p.Revisions, m.change.Revision)
		p.Kinds, p.Thins = append(p.Kinds, string(m.change.Kind)), append(p.Thins, m.hook.Body == ThinBody)
		p.Firsts = append(p.Firsts, !seen[l])
		if !seen[l] && m.hook.RateLimit == nil && m.hook.MaxInFlight == nil && b.term.held() && !sent.isFlying(m.key()) {
			leading[m.hook.ID]++
		}
		seen[l] = true
	}
	left := make(map[uuid.UUID]int32, len(leading))
	for id, n := range leading {
		if free := d.slots.take(id, n); free > 0 {
			b.hooks, b.reserved = append(b.hooks, id), append(b.reserved, free)
			left[id] = free
		}
	}
	for n, m := range deliveries {
		claimed := sent.isFlying(m.key())
		if !claimed && p.Firsts[n] && left[m.hook.ID] > 0 {
			left[m.hook.ID]--
			claimed = true
		}
		p.Claimeds = append(p.Claimeds, claimed)
	}
	d.expected = b
	return b
}

// giveUp gives back the slots of an insertion that was not committed, and forgets what was sent before it.
func (d *Dispatcher) giveUp() {
	if b := d.expected; b != nil {
		d.slots.settle(b.hooks, b.reserved, nil)
		b.sent.settle(false)
		d.expected = nil
	}
}

// deliverBorn sends what was claimed with its insertion, which is committed, and looks after what was not.
func (d *Dispatcher) deliverBorn(b *birth) {
	d.expected = nil
	b.sent.settle(true)
	of := make(map[deliveryKey]matched, len(b.deliveries))
	for _, m := range b.deliveries {
		of[m.key()] = m
	}
	used := make(map[uuid.UUID]int32, len(b.hooks))
	var due []uuid.UUID
	var claims []claimed
	for _, row := range b.rows {
		m := of[deliveryKey{row.HookID, row.Position}]
		switch {
		case b.sent.isFlying(m.key()):
		case row.Claimed:
			used[row.HookID]++
			claims = append(claims, claimed{ClaimDeliveriesRow: bornRow(m), claim: b.insertion.Claim, expires: b.expires, change: m.change})
		case row.Leads && !slices.Contains(due, row.HookID):
			due = append(due, row.HookID)
		}
	}
	d.slots.settle(b.hooks, b.reserved, used) // what found no slot is due, and looked for
	for _, c := range claims {
		d.posts.Go(func() { d.deliver(b.term.ctx, c) })
	}
	d.Look(due...)
}

func bornRow(m matched) store.ClaimDeliveriesRow {
	return store.ClaimDeliveriesRow{HookID: m.hook.ID, Position: int64(m.change.Position), ID: deliveryID(m.hook.ID, m.change), ItemID: m.change.ItemID,
		ChangeID: m.change.ID, Revision: m.change.Revision, Kind: string(m.change.Kind), Thin: m.hook.Body == ThinBody, Url: m.hook.Url,
		Secret: m.hook.Secret, OldSecret: m.hook.OldSecret, Headers: m.hook.Headers, RateLimit: m.hook.RateLimit, MaxInFlight: m.hook.MaxInFlight}
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
