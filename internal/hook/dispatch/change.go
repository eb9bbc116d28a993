package dispatch

import (
	"context"
	"fmt"

	"itemcast/internal/change"
	"itemcast/internal/hook/internal/store"
)

// maxFeedSpan is the widest range of positions that is read from the feed, which holds recent changes in memory.
// Changes further apart are read by id.
const maxFeedSpan = 1000

// changesOf returns the changes of claimed deliveries, by id. Changes that have left the log are missing.
func (d *Dispatcher) changesOf(ctx context.Context, rows []store.ClaimDeliveriesRow) (map[int64]*change.Change, error) {
	changes := make(map[int64]*change.Change, len(rows))
	first, last := rows[0].Position, rows[0].Position
	for _, row := range rows {
		first, last = min(first, row.Position), max(last, row.Position)
	}
	if last-first < maxFeedSpan && change.Position(last) <= d.feed.Head() {
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
			Position: change.Position(positions[row.ID]), ID: row.ID, ItemID: row.ItemID, Revision: row.Revision,
			Kind: change.Kind(row.Kind), Trigger: row.Trigger, Task: change.DecodeTask(row.Task),
			Document: row.Document, OccurredAt: row.OccurredAt,
		}
	}
	return changes, nil
}
