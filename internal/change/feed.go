package change

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/change/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/problem"
)

const (
	readBatch = 1000

	// pollEvery bounds how late a change comes when its notification is lost, and how late a lost connection is noticed.
	pollEvery = time.Second

	channel = "itemcast_position"
)

// Feed reads the log by position: one per node, shared by all its readers. What is recent comes from memory, what is older from the
// database; a reader cannot tell which. All methods may be called concurrently.
type Feed struct {
	pool  *pgxpool.Pool
	log   *slog.Logger
	epoch uuid.UUID

	mu     sync.RWMutex
	recent ring
	head   Position
	moved  chan struct{} // closed, and replaced, when head moves
}

// OpenFeed makes a feed that stands at the log's present head; Run makes it follow.
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
	return &Feed{pool: pool, log: log, epoch: identity.Epoch, head: Position(head.Position), moved: make(chan struct{})}, nil
}

// Head is the last position this node has read. All changes up to it were committed before the call.
func (f *Feed) Head() Position {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.head
}

// Cursor is what a client keeps of a position.
func (f *Feed) Cursor(p Position) string { return encodeCursor(f.epoch, p) }

// ParseCursor is Cursor's inverse. Errors: INVALID_CURSOR; CURSOR_EXPIRED when the log no longer keeps what follows it.
func (f *Feed) ParseCursor(ctx context.Context, cursor string) (Position, error) {
	p, err := decodeCursor(f.epoch, cursor)
	if err != nil {
		return 0, err
	}
	if p > f.Head() { // given out by a node that is ahead of this one, or made up
		head, err := store.New(f.pool).Head(ctx)
		if err != nil {
			return 0, fmt.Errorf("read head: %w", err)
		}
		if int64(p) > head.Position {
			return 0, problem.New(problem.InvalidCursor, "The cursor lies ahead of the log; take it from a change or from changeCursor.")
		}
	}
	return p, f.checkKept(ctx, p)
}

// Read returns up to limit changes that follow after, in order; none when there are none yet. Error: CURSOR_EXPIRED.
func (f *Feed) Read(ctx context.Context, after Position, limit int) ([]*Change, error) {
	return f.read(ctx, store.New(f.pool), after, limit)
}

// PositionAt returns the position that is followed by what was made at t or later, as far as the log is in the order of its times: a change
// that took long to commit may lie after others that were made later. Before the log's beginning it is that beginning.
func (f *Feed) PositionAt(ctx context.Context, t time.Time) (Position, error) {
	q := store.New(f.pool)
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the feed's identity: %w", err)
	}
	low, high := identity.Floor, int64(f.Head()) // what follows high is later, what is up to low is earlier or gone
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
		return nil, f.expired(ctx, q)
	}
	return changes, nil
}

// Wait returns when there is a change after the position, or with ctx's error.
func (f *Feed) Wait(ctx context.Context, after Position) error {
	for {
		f.mu.RLock()
		head, moved := f.head, f.moved
		f.mu.RUnlock()
		if head > after {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// Run follows the log until ctx ends: it listens on a connection of its own, and also polls.
func (f *Feed) Run(ctx context.Context) error {
	notified := make(chan struct{}, 1)
	var listener sync.WaitGroup
	listener.Go(func() {
		db.Listen(ctx, f.pool, db.Listener{
			Channel:   channel,
			Log:       f.log,
			Connected: func() { signal(notified) },
			Notified:  func(string) { signal(notified) },
		})
	})
	defer listener.Wait()

	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		if err := f.catchUp(ctx); err != nil && ctx.Err() == nil {
			f.log.Warn("cannot read the change log; trying again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-notified:
		case <-poll.C:
		}
	}
}

func (f *Feed) catchUp(ctx context.Context) error {
	for {
		changes, err := f.next(ctx)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			f.append(changes)
		}
		if len(changes) < readBatch {
			return nil
		}
	}
}

func (f *Feed) next(ctx context.Context) ([]*Change, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	q, head := store.New(f.pool), f.Head()
	changes, err := readAfter(ctx, q, head, readBatch)
	if !errors.Is(err, errDropped) {
		return changes, err
	}
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return nil, err
	}
	return readAfter(ctx, q, max(head, Position(identity.Floor)), readBatch)
}

func (f *Feed) append(changes []*Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if changes[0].Position != f.head+1 { // this node was away for so long that what it missed is no longer kept
		f.recent = ring{}
	}
	f.recent.append(changes)
	f.head = changes[len(changes)-1].Position
	close(f.moved)
	f.moved = make(chan struct{})
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (f *Feed) checkKept(ctx context.Context, p Position) error {
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
		return f.expired(ctx, q)
	}
	return nil
}

func (f *Feed) expired(ctx context.Context, q *store.Queries) error {
	identity, err := q.FeedIdentity(ctx)
	if err != nil {
		return fmt.Errorf("read the feed's identity: %w", err)
	}
	return problem.New(problem.CursorExpired, "The log no longer keeps what follows the cursor; list anew, or go on from the oldest cursor that works: %s",
		f.Cursor(Position(identity.Floor)))
}
