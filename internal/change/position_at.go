package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
)

// PositionAt returns the position after which the changes since t follow: the floor if t is before the oldest change.
// It is a binary search, exact as far as the log is in the order of OccurredAt. A change that took long to commit may
// follow others that occurred later.
func (f *Feed) PositionAt(ctx context.Context, t time.Time) (Position, error) {
	q := store.New(f.pool)
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the feed's identity: %w", err)
	}
	// Changes up to low are earlier than t, or dropped. Changes after high are of t or later.
	low, high := identity.Floor, int64(f.Head())
	for low < high {
		middle := low + (high-low+1)/2
		row, err := q.ChangeTime(ctx, middle)
		switch {
		case errors.Is(err, pgx.ErrNoRows) || err == nil && !row.OccurredAt.Before(t):
			high = middle - 1
		case err != nil:
			return 0, fmt.Errorf("read the time of a change: %w", err)
		default:
			low = row.Position
		}
	}
	return Position(low), nil
}
