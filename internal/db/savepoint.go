package db

import (
	"context"
	"maps"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// savepoint is a part of a transaction that can be rolled back by itself. Its statements go through the pipeline.
type savepoint struct {
	*pipeline
	name   string
	sent   int // batches that the pipeline had sent when the savepoint was queued
	queued int // statements that were queued before it
	ended  bool
}

// Begin opens a savepoint: SAVEPOINT is queued.
func (p *pipeline) Begin(context.Context) (pgx.Tx, error) {
	if p.closed {
		return nil, pgx.ErrTxClosed
	}
	p.savepoints++
	s := &savepoint{pipeline: p, name: "sp_" + strconv.Itoa(p.savepoints), sent: p.sent, queued: p.queue.Len()}
	p.queue.Queue("savepoint " + s.name)
	return s, nil
}

// Commit releases the savepoint, in one round trip with the queued statements. If one of them fails, Commit rolls the
// part back and returns the error; the transaction remains usable.
func (s *savepoint) Commit(ctx context.Context) error {
	if s.ended {
		return pgx.ErrTxClosed
	}
	_, err := s.Exec(ctx, "release savepoint "+s.name)
	if err != nil {
		_ = s.Rollback(ctx)
	}
	s.ended = true
	return err
}

// Rollback undoes the part. If SAVEPOINT is still queued, it needs no round trip: it removes SAVEPOINT and all that
// follows from the queue.
func (s *savepoint) Rollback(ctx context.Context) error {
	if s.ended {
		return pgx.ErrTxClosed
	}
	s.ended = true
	if s.sent == s.pipeline.sent {
		s.queue.QueuedQueries = s.queue.QueuedQueries[:s.queued]
		maps.DeleteFunc(s.counted, func(n int, _ func(int64)) bool { return n >= s.queued })
		return nil
	}
	s.queue, s.counted = &pgx.Batch{}, nil
	_, err := s.Exec(ctx, "rollback to savepoint "+s.name)
	return err
}
