package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"itemcast/internal/change/internal/store"
)

// detachTimeout limits how long the detaching of a partition waits for older transactions. Meanwhile no partition can
// be attached.
const detachTimeout = 2 * time.Second

// errPartitionInUse means that an open transaction may read a partition. A later pass drops it.
var errPartitionInUse = errors.New("a partition of the change log is in use")

// byPosition names the tables that are partitioned by position. Their partitions are dropped with the changes.
var byPosition = []string{"item_position", "delivery_attempt"}

// dropPositionPartitions drops the partitions of positions below the floor.
func (p *prunePass) dropPositionPartitions(ctx context.Context) error {
	for _, table := range byPosition {
		partitions, err := p.q.LogPartitions(ctx, table)
		if err != nil {
			return fmt.Errorf("list the partitions of %s: %w", table, err)
		}
		for _, part := range partitions {
			if !part.Detaching && part.Upper > int64(p.floor) {
				break
			}
			if err := p.drop(ctx, table, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop detaches a partition and drops it, or resumes where another pruner stopped. Error: errPartitionInUse.
func (p *prunePass) drop(ctx context.Context, parent string, part store.LogPartitionsRow) error {
	how := "CONCURRENTLY"
	if part.Detaching {
		how = "FINALIZE"
	}
	statements := []string{
		fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s %s", parent, quote(part.Name), how),
		"DROP TABLE " + quote(part.Name),
	}
	if part.Detaching && part.Upper == 0 { // already detached
		statements = statements[1:]
	}
	if _, err := p.conn.Exec(ctx, fmt.Sprintf("SET statement_timeout = %d", detachTimeout.Milliseconds())); err != nil {
		return fmt.Errorf("limit the wait for a partition: %w", err)
	}
	defer func() { _, _ = p.conn.Exec(context.WithoutCancel(ctx), "RESET statement_timeout") }()
	for _, statement := range statements {
		if _, err := p.conn.Exec(ctx, statement); err != nil {
			if isTimeout(err) {
				return errPartitionInUse
			}
			return fmt.Errorf("drop the partition %s: %w", part.Name, err)
		}
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// isTimeout recognizes query_canceled, the error of statement_timeout (PostgreSQL documentation, appendix A).
func isTimeout(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && answer.Code == "57014"
}
