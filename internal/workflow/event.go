package workflow

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

// runRef names a run.
type runRef struct{ account, item, run uuid.UUID }

// idAt returns the id of the nth row that a move inserts at a time: a UUID of version 7 (RFC 9562). The time is the
// database's, at the lock of the item, so that the ids of an item are in the order of its moves whatever node makes
// them.
func idAt(at time.Time, n int) uuid.UUID {
	id := uuid.New()
	micros := at.UnixMicro()
	binary.BigEndian.PutUint64(id[:], uint64(micros/1000)<<16|7<<12|uint64(micros%1000)<<2)
	id[8], id[9] = 0x80, byte(n) // the variant, and the order in the move
	return id
}

// entriesAt are the entries of a move, and its time.
type entriesAt struct {
	at      time.Time
	entries []machine.Entry
}

// insertEvents appends the entries of moves to the history.
func insertEvents(ctx context.Context, q *store.Queries, r runRef, moves []entriesAt) error {
	p := store.InsertEventsParams{AccountID: r.account, ItemID: r.item, RunID: r.run}
	for _, m := range moves {
		for n := range m.entries {
			e := &m.entries[n]
			user, took := uuid.Nil, float64(-1)
			if e.User != nil {
				user = *e.User
			}
			if e.Took > 0 {
				took = e.Took.Seconds()
			}
			p.Ids, p.Ats = append(p.Ids, idAt(m.at, n+1)), append(p.Ats, m.at)
			p.Events, p.Actions = append(p.Events, string(e.Kind)), append(p.Actions, e.Action)
			p.Tasks, p.UserIds = append(p.Tasks, e.Task), append(p.UserIds, user)
			p.Comments, p.Errors, p.Tooks = append(p.Comments, e.Comment), append(p.Errors, e.Error), append(p.Tooks, took)
		}
	}
	if len(p.Ids) == 0 {
		return nil
	}
	if err := q.InsertEvents(ctx, p); err != nil {
		return fmt.Errorf("insert into a workflow's history: %w", err)
	}
	return nil
}
