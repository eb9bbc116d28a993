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

// insertEvents appends entries to the history.
func insertEvents(ctx context.Context, q *store.Queries, r runRef, at time.Time, entries []machine.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	p := store.InsertEventsParams{AccountID: r.account, ItemID: r.item, RunID: r.run, At: at}
	for n := range entries {
		e := &entries[n]
		user, took := uuid.Nil, float64(-1)
		if e.User != nil {
			user = *e.User
		}
		if e.Took > 0 {
			took = e.Took.Seconds()
		}
		p.Ids, p.Events = append(p.Ids, idAt(at, n+1)), append(p.Events, string(e.Kind))
		p.Actions, p.Tasks = append(p.Actions, e.Action), append(p.Tasks, e.Task)
		p.UserIds, p.Tooks = append(p.UserIds, user), append(p.Tooks, took)
		p.Comments, p.Errors = append(p.Comments, e.Comment), append(p.Errors, e.Error)
	}
	if err := q.InsertEvents(ctx, p); err != nil {
		return fmt.Errorf("insert into a workflow's history: %w", err)
	}
	return nil
}
