package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
)

const (
	claimTimeout = 5 * time.Second
	minPace      = 20 * time.Millisecond // between two claims for a hook with a rate; at a high rate, each takes several
)

// claimed is a delivery that this node may send until expires.
type claimed struct {
	store.ClaimDeliveriesRow
	claim   uuid.UUID
	expires time.Time
	change  *change.Change // nil: it has left the log
}

// claimLoop claims and sends whenever there may be something due, until ctx ends.
func (d *Dispatcher) claimLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.woken:
		}
		for ctx.Err() == nil {
			term, ok := d.presence.term()
			if !ok {
				break // the next term wakes the loop
			}
			hooks, free := d.slots.reserve()
			if len(hooks) == 0 {
				break
			}
			for _, c := range d.claim(ctx, term, hooks, free) {
				d.posts.Go(func() { d.deliver(term.ctx, c) })
			}
		}
	}
}

// deliver sends one delivery, passes its outcome to the writer of results, and then frees the slot: a slow writer
// slows the sending down.
func (d *Dispatcher) deliver(ctx context.Context, c claimed) {
	o := d.post(ctx, c)
	d.slots.record(c.HookID, o.verdict, o.Took)
	if o.task == nil {
		d.outcomes <- o
	} else {
		d.tasks <- o
	}
	if due := d.slots.release(c.HookID); due {
		d.woken.Send()
	}
}

// claim takes due deliveries of hooks, at most as many as slots are reserved for each, and releases the remaining
// slots. A shutdown does not interrupt it: rows that were claimed without our knowledge would wait until their claims
// expire.
func (d *Dispatcher) claim(ctx context.Context, in term, hooks []uuid.UUID, free []int32) []claimed {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimTimeout)
	defer cancel()
	used := make(map[uuid.UUID]int32, len(hooks))
	// A hook that has used all its slots may have more.
	defer func() { d.slots.markDue(d.slots.releaseUnused(hooks, free, used)) }()

	token := uuid.New()
	lease := d.config.lease()
	expires := time.Now().Add(lease) // earlier than by the clock of the database
	rows, err := d.claimRows(ctx, store.ClaimDeliveriesParams{
		HookIds: hooks, Slots: free, Claim: token, Node: in.node, Lease: lease.Seconds(),
	})
	var changes map[int64]*change.Change
	if err == nil && len(rows) > 0 {
		changes, err = d.changesOf(ctx, rows)
	}
	if err != nil { // the claims expire, and the deliveries are due again
		d.log.Warn("cannot claim deliveries; retrying", "error", err)
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

// claimRows claims for all hooks in one statement. Hooks with limits need a transaction.
func (d *Dispatcher) claimRows(ctx context.Context, p store.ClaimDeliveriesParams) ([]store.ClaimDeliveriesRow, error) {
	limited := d.limits.among(p.HookIds)
	if len(limited) == 0 {
		return store.New(d.pool).ClaimDeliveries(ctx, p)
	}
	var rows []store.ClaimDeliveriesRow
	err := db.Write(ctx, d.pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		q := store.New(tx)
		if rows, err = d.claimLimited(ctx, q, p, limited); err != nil {
			return err
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

// claimLimited claims for the limited hooks whose rows no other node has locked.
func (d *Dispatcher) claimLimited(
	ctx context.Context, q *store.Queries, p store.ClaimDeliveriesParams, limited []uuid.UUID,
) (rows []store.ClaimDeliveriesRow, err error) {
	locked, err := q.LockLimited(ctx, limited)
	if err != nil {
		return nil, err
	}
	for _, id := range limited {
		if !slices.Contains(locked, id) { // another node claims for it, or records its health
			time.AfterFunc(minPace, func() { d.Wake(id) })
		}
	}
	if len(locked) == 0 {
		return nil, nil
	}
	own := store.ClaimLimitedParams(p)
	own.HookIds, own.Slots = nil, nil
	for n, id := range p.HookIds {
		if slices.Contains(locked, id) {
			own.HookIds, own.Slots = append(own.HookIds, id), append(own.Slots, p.Slots[n])
		}
	}
	found, err := q.ClaimLimited(ctx, own)
	for _, row := range found {
		rows = append(rows, store.ClaimDeliveriesRow(row))
	}
	return rows, err
}

// pace wakes the dispatcher for hooks with a rate when the next delivery is allowed.
func (d *Dispatcher) pace(rows []store.ClaimDeliveriesRow) {
	paced := make(map[uuid.UUID]bool)
	for _, row := range rows {
		if row.RateLimit == nil || paced[row.HookID] {
			continue
		}
		paced[row.HookID] = true
		time.AfterFunc(max(time.Second/time.Duration(*row.RateLimit), minPace), func() { d.Wake(row.HookID) })
	}
}
