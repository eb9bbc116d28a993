package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
)

// settled is an outcome whose claim still held, and the delivery's row.
type settled struct {
	outcome
	row store.SettleDeliveriesRow
}

// logAttempts writes attempts into the log, and records the health of their hooks.
func (d *Dispatcher) logAttempts(ctx context.Context, tx pgx.Tx, all []settled) error {
	var p store.LogAttemptsParams
	for _, s := range all {
		if s.verdict == returned {
			continue
		}
		row := s.row
		p.Positions, p.HookIds = append(p.Positions, s.position), append(p.HookIds, s.hook)
		p.Numbers, p.Ids = append(p.Numbers, row.Number), append(p.Ids, row.ID)
		p.AccountIds = append(p.AccountIds, row.AccountID)
		p.ItemIds, p.ChangeIds = append(p.ItemIds, row.ItemID), append(p.ChangeIds, row.ChangeID)
		p.Revisions, p.Kinds = append(p.Revisions, row.Revision), append(p.Kinds, row.Kind)
		p.Triggers, p.CreatedAts = append(p.Triggers, s.trigger), append(p.CreatedAts, row.CreatedAt)
		p.Ats, p.Tooks = append(p.Ats, s.at), append(p.Tooks, int32(s.Took.Microseconds()))
		p.Outcomes, p.Statuses = append(p.Outcomes, outcomeOf[s.verdict]), append(p.Statuses, int32(s.Status))
		p.Responses, p.Faults = append(p.Responses, s.Response), append(p.Faults, string(s.Fault))
		p.Errors = append(p.Errors, s.Detail)
	}
	if len(p.HookIds) == 0 {
		return nil
	}
	if err := store.New(db.Deferred(tx)).LogAttempts(ctx, p); err != nil {
		return fmt.Errorf("log attempts: %w", err)
	}
	return d.noteHealth(ctx, tx, healthOf(all))
}

// noteHealth records the health of hooks, with the next statement of the transaction.
func (d *Dispatcher) noteHealth(ctx context.Context, tx pgx.Tx, notes store.NoteHealthParams) error {
	var locked int64
	_, err := store.New(db.Counted(tx, func(rows int64) { locked = rows })).NoteHealth(ctx, notes)
	if err != nil {
		return fmt.Errorf("record the health of hooks: %w", err)
	}
	db.AfterCommit(ctx, func() {
		if locked > 0 {
			d.unnoted.remember(notes, time.Now())
		}
	})
	return nil
}

// healthOf returns, for each hook, whether any attempt succeeded, and the last error.
func healthOf(all []settled) (p store.NoteHealthParams) {
	at := make(map[uuid.UUID]int)
	for _, s := range all {
		if s.verdict == returned {
			continue
		}
		n, ok := at[s.hook]
		if !ok {
			n = len(p.HookIds)
			at[s.hook] = n
			p.HookIds, p.Works = append(p.HookIds, s.hook), append(p.Works, false)
			p.Errors, p.Ages = append(p.Errors, ""), append(p.Ages, 0)
		}
		if s.verdict == succeeded {
			p.Works[n] = true
		} else {
			p.Errors[n] = s.Detail
		}
	}
	return p
}
