package change

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/change/internal/store"
)

const (
	// A partition is dropped when all its changes are older than Retention.MaxAge. In a partition that fills slowly,
	// changes that exceed the age by a tenth (1/graceFraction) are deleted row by row.
	graceFraction = 10

	deleteBatch      = 5000
	maxDeleteBatches = 20 // in one pass
)

// prunePass is one pass of a pruner. It holds the retention lock.
type prunePass struct {
	*Pruner
	conn *pgx.Conn
	q    *store.Queries
	now  time.Time

	floor          Position
	droppable      Position // the last position that no consumer and no delivery needs
	sequencedBelow int64    // every change id below it has a position or was rolled back
	held           bool     // changes exceed the limits and are still needed
}

func (p *prunePass) run(ctx context.Context) error {
	before, err := p.read(ctx)
	if err != nil {
		return err
	}
	if err := p.dropChangePartitions(ctx); err != nil {
		return err
	}
	if err := p.deleteOverdue(ctx); err != nil {
		return err
	}
	if err := p.dropPositionPartitions(ctx); err != nil {
		return err
	}
	if dropped := p.floor - before; dropped > 0 {
		p.dropped.Add(int64(dropped))
		p.log.Info("dropped old changes", "changes", dropped, "floor", p.floor)
	}
	if p.held {
		p.log.Warn("the change log exceeds its limits, because a consumer or a hook's delivery needs its beginning",
			"position", p.droppable)
	}
	return nil
}

func (p *prunePass) read(ctx context.Context) (floor Position, err error) {
	row, err := p.q.RetentionBounds(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the bounds of the log: %w", err)
	}
	held, err := p.hold(ctx)
	if err != nil {
		return 0, fmt.Errorf("find what is still needed: %w", err)
	}
	p.floor, p.droppable = Position(row.Floor), min(Position(row.Consumed), held)
	p.sequencedBelow = row.SequencedBelow
	return p.floor, nil
}

// dropChangePartitions drops the oldest partitions of changes while they are too old, or the log is too large.
func (p *prunePass) dropChangePartitions(ctx context.Context) error {
	size := int64(0)
	positions, err := p.q.LogPartitions(ctx, "item_position")
	if err != nil {
		return fmt.Errorf("list the partitions of positions: %w", err)
	}
	for _, part := range positions {
		size += part.Bytes
	}
	changes, err := p.q.LogPartitions(ctx, "item_change")
	if err != nil {
		return fmt.Errorf("list the partitions of changes: %w", err)
	}
	for _, part := range changes {
		size += part.Bytes
	}
	for _, part := range changes {
		if part.Detaching {
			if err := p.drop(ctx, "item_change", part); err != nil {
				return err
			}
			size -= part.Bytes
			continue
		}
		if part.Upper > p.sequencedBelow {
			return nil
		}
		due := p.retention.MaxBytes > 0 && size > p.retention.MaxBytes
		if !due {
			if due, err = p.isOld(ctx, part); err != nil || !due {
				return err
			}
		}
		last, err := p.q.LastPositionBelow(ctx, store.LastPositionBelowParams{Lower: part.Lower, Upper: part.Upper})
		if err != nil {
			return fmt.Errorf("find the last position of the partition %s: %w", part.Name, err)
		}
		if Position(last) > p.droppable {
			p.held = true
			return nil
		}
		err = p.raiseFloor(ctx, Position(last), func(q *store.Queries) error {
			return q.InsertTombstonesBetween(ctx, store.InsertTombstonesBetweenParams{Lower: part.Lower, Upper: part.Upper})
		})
		if err != nil {
			return err
		}
		if err := p.drop(ctx, "item_change", part); err != nil {
			return err
		}
		size -= part.Bytes
	}
	return nil
}

// isOld reports whether the newest change of a partition exceeds the age limit. An empty partition does, if there is a
// limit.
func (p *prunePass) isOld(ctx context.Context, part store.LogPartitionsRow) (bool, error) {
	if p.retention.MaxAge == 0 {
		return false, nil
	}
	var newest time.Time
	err := p.conn.QueryRow(ctx, "SELECT occurred_at FROM "+quote(part.Name)+" ORDER BY id DESC LIMIT 1").Scan(&newest)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the newest change of the partition %s: %w", part.Name, err)
	}
	return p.now.Sub(newest) > p.retention.MaxAge, nil
}

// deleteOverdue deletes changes row by row that are a tenth older than the age limit.
func (p *prunePass) deleteOverdue(ctx context.Context) error {
	if p.retention.MaxAge == 0 {
		return nil
	}
	before := p.now.Add(-p.retention.MaxAge - p.retention.MaxAge/graceFraction)
	for range maxDeleteBatches {
		rows, err := p.q.OldestPositions(ctx, store.OldestPositionsParams{
			Floor: int64(p.floor), UpTo: math.MaxInt64, Batch: deleteBatch,
		})
		if err != nil {
			return fmt.Errorf("read the oldest positions: %w", err)
		}
		last := p.floor
		for _, row := range rows {
			if !row.OccurredAt.Before(before) {
				break
			}
			last = Position(row.Position)
		}
		if last > p.droppable {
			p.held, last = true, p.droppable
		}
		if last <= p.floor {
			return nil
		}
		err = p.raiseFloor(ctx, last, func(q *store.Queries) error { return p.delete(ctx, q, last) })
		if err != nil || len(rows) < deleteBatch {
			return err
		}
	}
	return nil
}

// delete deletes the changes from the floor up to a position.
func (p *prunePass) delete(ctx context.Context, q *store.Queries, upTo Position) error {
	ids, err := q.DeletePositions(ctx, store.DeletePositionsParams{Floor: int64(p.floor), UpTo: int64(upTo)})
	if err != nil {
		return fmt.Errorf("delete positions: %w", err)
	}
	if err := q.InsertTombstonesOf(ctx, ids); err != nil {
		return fmt.Errorf("insert tombstones: %w", err)
	}
	err = q.DeleteAttempts(ctx, store.DeleteAttemptsParams{Floor: int64(p.floor), UpTo: int64(upTo)})
	if err != nil {
		return fmt.Errorf("delete attempts of deliveries: %w", err)
	}
	if err := q.DeleteChanges(ctx, ids); err != nil {
		return fmt.Errorf("delete changes: %w", err)
	}
	return nil
}

// raiseFloor raises the floor, unless it is higher already, in one transaction with prepare.
func (p *prunePass) raiseFloor(ctx context.Context, floor Position, prepare func(*store.Queries) error) error {
	floor = max(floor, p.floor)
	err := pgx.BeginFunc(ctx, p.conn, func(tx pgx.Tx) error {
		q := store.New(tx)
		if err := prepare(q); err != nil {
			return err
		}
		return q.RaiseFloor(ctx, int64(floor))
	})
	if err != nil {
		return fmt.Errorf("raise the floor to %d: %w", floor, err)
	}
	p.floor = floor
	return nil
}
