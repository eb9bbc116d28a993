package change

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/problem"
)

// readBatch is the maximum number of changes per query.
const readBatch = 1000

// Feed reads the log by position. A node has one, shared by all its readers. Recent changes come from memory, older
// ones from the database; readers see no difference. All methods may be called concurrently.
type Feed struct {
	pool    *pgxpool.Pool
	log     *slog.Logger
	cursors cursors

	mu       sync.RWMutex // guards what follows; never held during a query
	recent   ring
	head     Position
	advanced chan struct{} // closed and replaced when head advances
}

// OpenFeed returns a feed that starts at the log's current head. [Feed.Run] makes it follow the log.
func OpenFeed(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) (*Feed, error) {
	q := store.New(pool)
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the feed's identity: %w", err)
	}
	head, err := q.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the feed's head: %w", err)
	}
	made, err := newCursors(identity.Epoch, identity.Secret)
	if err != nil {
		return nil, err
	}
	return &Feed{
		pool: pool, log: log, cursors: made, head: Position(head.Position), advanced: make(chan struct{}),
	}, nil
}

// Head returns the last position that this node has read. All changes up to it were committed before the call.
func (f *Feed) Head() Position {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.head
}

// Cursor returns the cursor of the change at a position, for a client that sees the change.
func (f *Feed) Cursor(p Position) string { return f.cursors.encode(p) }

// Checkpoint returns a cursor of a position that belongs to no change which the client sees. No two are equal.
func (f *Feed) Checkpoint(p Position) string { return f.cursors.checkpoint(p) }

// ParseCursor returns the position of a cursor. Errors: INVALID_CURSOR; CURSOR_EXPIRED when changes after it have been
// dropped.
func (f *Feed) ParseCursor(ctx context.Context, cursor string) (Position, error) {
	p, err := f.cursors.decode(cursor)
	if errors.Is(err, errForeign) {
		return 0, f.expired(ctx, store.New(f.pool), "The cursor is from before this database was created or restored.")
	}
	if err != nil {
		return 0, err
	}
	if p > f.Head() { // from a node that is ahead of this one, or invented
		head, err := store.New(f.pool).Head(ctx)
		if err != nil {
			return 0, fmt.Errorf("read head: %w", err)
		}
		if int64(p) > head.Position {
			return 0, problem.New(problem.InvalidCursor, "The cursor is beyond the end of the log. "+
				"Pass the cursor of a change, or of a list of items.")
		}
	}
	return p, f.checkFloor(ctx, p)
}

// Read returns up to limit changes after a position, in order; none if there are none yet. Error: CURSOR_EXPIRED when
// some of them have been dropped.
func (f *Feed) Read(ctx context.Context, after Position, limit int) ([]*Change, error) {
	return f.read(ctx, store.New(f.pool), after, limit)
}

func (f *Feed) read(ctx context.Context, q *store.Queries, after Position, limit int) ([]*Change, error) {
	f.mu.RLock()
	head := f.head
	changes, ok := f.recent.after(after, limit)
	f.mu.RUnlock()
	if ok || after >= head {
		return changes, nil
	}
	changes, err := readAfter(ctx, q, after, limit)
	if err != nil && !errors.Is(err, errDropped) {
		return nil, fmt.Errorf("read the change log: %w", err)
	}
	if err != nil || len(changes) == 0 || changes[0].Position != after+1 {
		return nil, f.expired(ctx, q, dropped)
	}
	return changes, nil
}

// Wait returns nil once the feed has a change after the position, or ctx's error.
func (f *Feed) Wait(ctx context.Context, after Position) error {
	for {
		f.mu.RLock()
		head, advanced := f.head, f.advanced
		f.mu.RUnlock()
		if head > after {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-advanced:
		}
	}
}

// checkFloor returns CURSOR_EXPIRED if the position is below the log's floor.
func (f *Feed) checkFloor(ctx context.Context, p Position) error {
	f.mu.RLock()
	_, ok := f.recent.after(p, 1)
	f.mu.RUnlock()
	if ok {
		return nil
	}
	q := store.New(f.pool)
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return fmt.Errorf("read the feed's identity: %w", err)
	}
	if int64(p) < identity.Floor {
		return f.expired(ctx, q, dropped)
	}
	return nil
}

// dropped is the usual reason why a cursor has expired.
const dropped = "The log no longer has the changes after this cursor."

// expired returns CURSOR_EXPIRED, whose detail ends with the oldest valid cursor.
func (f *Feed) expired(ctx context.Context, q *store.Queries, reason string) error {
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return fmt.Errorf("read the feed's identity: %w", err)
	}
	return problem.New(problem.CursorExpired, "%s List the items again, or continue from the oldest valid cursor: %s",
		reason, f.Checkpoint(Position(identity.Floor)))
}
