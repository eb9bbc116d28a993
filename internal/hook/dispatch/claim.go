package dispatch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
)

const (
	claimTimeout = 5 * time.Second
	leastPace    = 20 * time.Millisecond // a fast hook is sent several at a time, so that a claim is worth its statement
)

// claimed is a delivery that this node may send until expires.
type claimed struct {
	store.ClaimDeliveriesRow
	claim   uuid.UUID
	expires time.Time
	change  *change.Change // nil: the log no longer keeps it
}

// claim takes due deliveries of hooks, at most as many as slots are reserved for each, and gives back the slots that are left.
// It does not give up half-way for a stop: nobody would know what was claimed until the claims lapse.
func (d *Dispatcher) claim(ctx context.Context, of term, hooks []uuid.UUID, free []int32) []claimed {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	used := make(map[uuid.UUID]int32, len(hooks))
	defer func() { d.slots.ask(d.slots.settle(hooks, free, used)) }() // who used all may have more

	token := uuid.New()
	expires := time.Now().Add(d.config.lease()) // before the database's clock says so
	rows, err := d.claimRows(ctx, store.ClaimDeliveriesParams{HookIds: hooks, Slots: free, Claim: token, Node: of.node, Lease: d.config.lease().Seconds()})
	var changes map[int64]*change.Change
	if err == nil && len(rows) > 0 {
		changes, err = d.changes(ctx, rows)
	}
	if err != nil { // what was claimed comes due again by itself
		d.log.Warn("cannot claim deliveries; trying again", "err", err)
		return nil
	}
	deliveries := make([]claimed, len(rows))
	for i, row := range rows {
		used[row.HookID]++
		deliveries[i] = claimed{row, token, expires, changes[row.ChangeID]}
	}
	d.pace(rows)
	return deliveries
}

// claimRows claims for hooks with limits of their own besides, should one be known to have some.
func (d *Dispatcher) claimRows(ctx context.Context, p store.ClaimDeliveriesParams) ([]store.ClaimDeliveriesRow, error) {
	limited := d.limited.of(p.HookIds)
	if len(limited) == 0 {
		return store.New(d.pool).ClaimDeliveries(ctx, p)
	}
	var rows []store.ClaimDeliveriesRow
	err := db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		locked, err := q.LockLimited(ctx, limited)
		if err != nil {
			return err
		}
		for _, id := range limited {
			if !slices.Contains(locked, id) { // somebody is at it, or writes down how it fares
				time.AfterFunc(leastPace, func() { d.Wake(id) })
			}
		}
		those := p
		those.HookIds, those.Slots = nil, nil
		for n, id := range p.HookIds {
			if slices.Contains(locked, id) {
				those.HookIds, those.Slots = append(those.HookIds, id), append(those.Slots, p.Slots[n])
			}
		}
		if len(locked) > 0 {
			of, err := q.ClaimLimited(ctx, store.ClaimLimitedParams(those))
			if err != nil {
				return err
			}
			for _, row := range of {
				rows = append(rows, store.ClaimDeliveriesRow(row))
			}
		}
		if len(limited) == len(p.HookIds) {
			return nil
		}
		others, err := q.ClaimDeliveries(ctx, p)
		rows = append(rows, others...)
		return err
	})
	return rows, err
}

// limits knows which hooks have limits of their own, as far as was told lately. One that is not known to have any is not claimed for, if it
// has, before the next sweep tells. Its methods may be called concurrently.
type limits struct {
	mu    sync.Mutex
	hooks map[uuid.UUID]bool
}

func (l *limits) tell(hook uuid.UUID, limited bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !limited {
		delete(l.hooks, hook)
		return
	}
	if l.hooks == nil {
		l.hooks = make(map[uuid.UUID]bool)
	}
	l.hooks[hook] = true
}

func (l *limits) of(hooks []uuid.UUID) (limited []uuid.UUID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range hooks {
		if l.hooks[id] {
			limited = append(limited, id)
		}
	}
	return limited
}

// pace has the dispatcher look at hooks with a rate again when they may be sent the next.
func (d *Dispatcher) pace(rows []store.ClaimDeliveriesRow) {
	paced := make(map[uuid.UUID]bool)
	for _, row := range rows {
		if row.RateLimit == nil || paced[row.HookID] {
			continue
		}
		paced[row.HookID] = true
		time.AfterFunc(max(time.Second/time.Duration(*row.RateLimit), leastPace), func() { d.Wake(row.HookID) })
	}
}

// ringSpan is up to how many positions are asked of the feed, which has the recent ones in memory; from there on ids are.
const ringSpan = 1000

// changes returns the changes of deliveries by id.
func (d *Dispatcher) changes(ctx context.Context, rows []store.ClaimDeliveriesRow) (map[int64]*change.Change, error) {
	changes := make(map[int64]*change.Change, len(rows))
	first, last := rows[0].Position, rows[0].Position
	for _, row := range rows {
		first, last = min(first, row.Position), max(last, row.Position)
	}
	if last-first < ringSpan && change.Position(last) <= d.feed.Head() {
		recent, err := d.feed.Read(ctx, change.Position(first-1), int(last-first+1))
		if err == nil {
			for _, c := range recent {
				changes[c.ID] = c
			}
			return changes, nil
		}
	}
	ids := make([]int64, len(rows))
	positions := make(map[int64]int64, len(rows))
	for i, row := range rows {
		ids[i], positions[row.ChangeID] = row.ChangeID, row.Position
	}
	found, err := store.New(d.pool).ChangesByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	for _, row := range found {
		changes[row.ID] = &change.Change{
			Position: change.Position(positions[row.ID]), ID: row.ID, ItemID: row.ItemID, Revision: row.Revision, Kind: change.Kind(row.Kind),
			Trigger: row.Trigger, Document: row.Document, OccurredAt: row.OccurredAt,
		}
	}
	return changes, nil
}
