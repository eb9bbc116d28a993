package db

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pipeline is a pgx.Tx that saves round trips. It queues BEGIN, and each statement run through [Deferred], and sends
// the queue as one batch with the next statement whose result the caller awaits, or with COMMIT:
//
//	caller                       queue afterwards    sent to Postgres                     round trips so far
//	──────                       ────────────────    ────────────────                     ──────────────────
//	Begin                        BEGIN               –                                    0
//	Deferred(tx).Exec  INSERT a  BEGIN, a            –                                    0
//	tx.Query           SELECT b  –                   BEGIN, a, b  ──▶  ◀── rows of b      1
//	tx.Query           SELECT c  –                   c            ──▶  ◀── rows of c      2
//	Deferred(tx).Exec  INSERT d  d                   –                                    2
//	Commit                       –                   d, COMMIT    ──▶  ◀── done           3
//
// Postgres runs a batch in order, each statement with a snapshot of its own, and skips all that follow a failed one.
// The error of a deferred statement is therefore returned by the statement or Commit that was sent with it.
//
// Its states, and what Commit and Rollback send in each:
//
//	Begin ──▶ UNSENT ──first batch──▶ OPEN ──a statement fails──▶ FAILED (known to Postgres: transaction status E)
//	            │                      │                            │
//	            │ Commit of BEGIN      │ Commit: queue, COMMIT      │ Commit: COMMIT, which Postgres answers
//	            │ alone, Rollback:     │ Rollback: ROLLBACK         │ with ROLLBACK. Rollback: ROLLBACK
//	            │ nothing              │                            │
//	            └──────────────────────┴────────────┬───────────────┘
//	                                                ▼
//	                        CLOSED: the connection is back in the pool, or is closed when ROLLBACK failed
//
// A pipeline is for one goroutine at a time, like the connection that it holds.
type pipeline struct {
	conn       *pgxpool.Conn
	queue      *pgx.Batch
	counted    map[int]func(rows int64) // by place in the queue; nil: none
	sent       int                      // batches; the first contains BEGIN
	savepoints int                      // numbers their names
	closed     bool
}

var _ pgx.Tx = (*pipeline)(nil)

// begin acquires a connection and queues BEGIN.
func begin(ctx context.Context, pool *pgxpool.Pool) (*pipeline, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	p := &pipeline{conn: conn, queue: &pgx.Batch{}}
	p.queue.Queue("begin")
	return p, nil
}

// Deferred returns a Querier whose Exec queues a statement of the transaction and returns at once, with neither a
// command tag nor the statement's error. The next awaited statement of tx, or its Commit, sends it and returns its
// error. For a transaction that is not of this package, Exec runs at once.
func Deferred(tx pgx.Tx) Querier {
	switch t := tx.(type) {
	case *pipeline:
		return deferred{t}
	case *savepoint:
		return deferred{t.pipeline}
	default:
		return tx
	}
}

type deferred struct{ *pipeline }

func (d deferred) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if d.closed {
		return pgconn.CommandTag{}, pgx.ErrTxClosed
	}
	d.queue.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// Counted is [Deferred] for one statement: when the statement has been executed, count gets the number of rows that it
// returned or changed. That may be in a transaction that is then rolled back.
func Counted(tx pgx.Tx, count func(rows int64)) Querier {
	return counted{Querier: Deferred(tx), count: count}
}

type counted struct {
	Querier
	count func(rows int64)
}

func (c counted) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	tag, err := c.Querier.Exec(ctx, sql, args...)
	d, queued := c.Querier.(deferred)
	switch {
	case err != nil:
	case !queued:
		c.count(tag.RowsAffected())
	default:
		if d.counted == nil {
			d.counted = make(map[int]func(int64))
		}
		d.counted[d.queue.Len()-1] = c.count
	}
	return tag, err
}

// send sends the queue. The caller reads the last statement's result. After an error there is nothing to read.
func (p *pipeline) send(ctx context.Context) (pgx.BatchResults, error) {
	if p.closed {
		return nil, pgx.ErrTxClosed
	}
	batch, counted := p.queue, p.counted
	p.queue, p.counted = &pgx.Batch{}, nil
	p.sent++
	results := p.conn.SendBatch(ctx, batch)
	for n := range batch.Len() - 1 {
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close()
			return nil, err
		}
		if count := counted[n]; count != nil {
			count(tag.RowsAffected())
		}
	}
	return results, nil
}

// flush sends the queue and awaits its end.
func (p *pipeline) flush(ctx context.Context) error {
	if p.queue.Len() == 0 {
		return nil
	}
	last := p.counted[p.queue.Len()-1]
	results, err := p.send(ctx)
	if err != nil {
		return err
	}
	if last != nil {
		tag, err := results.Exec()
		if err != nil {
			return closeBatch(results, err)
		}
		last(tag.RowsAffected())
	}
	return results.Close()
}

// alone reports whether a statement must be sent outside a batch: because nothing is queued, or because it has options,
// which a batch cannot carry. In the second case alone has flushed the queue.
func (p *pipeline) alone(ctx context.Context, args []any) (bool, error) {
	if p.closed {
		return false, pgx.ErrTxClosed
	}
	if len(args) > 0 {
		switch args[0].(type) {
		case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID, pgx.QueryRewriter:
			return true, p.flush(ctx)
		}
	}
	return p.queue.Len() == 0, nil
}

func (p *pipeline) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	alone, err := p.alone(ctx, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	if alone {
		return p.conn.Exec(ctx, sql, args...)
	}
	p.queue.Queue(sql, args...)
	results, err := p.send(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	return tag, closeBatch(results, err)
}

func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	alone, err := p.alone(ctx, args)
	if err != nil {
		return failedRows{err: err}, err
	}
	if alone {
		return p.conn.Query(ctx, sql, args...)
	}
	p.queue.Queue(sql, args...)
	results, err := p.send(ctx)
	if err != nil {
		return failedRows{err: err}, err
	}
	rows, err := results.Query()
	return &lastRows{Rows: rows, results: results}, err
}

func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, _ := p.Query(ctx, sql, args...) // rows.Err returns the error too
	return singleRow{rows}
}

// Commit sends COMMIT with the queue. It sends nothing if BEGIN is the only statement.
func (p *pipeline) Commit(ctx context.Context) error {
	if p.closed {
		return pgx.ErrTxClosed
	}
	defer p.release()
	if p.sent == 0 && p.queue.Len() == 1 {
		return nil
	}
	p.queue.Queue("commit")
	results, err := p.send(ctx)
	if err != nil {
		_ = p.rollback(ctx)
		return err
	}
	tag, err := results.Exec()
	if err = closeBatch(results, err); err != nil {
		_ = p.rollback(ctx)
		return err
	}
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// Rollback discards the queue and rolls back what was sent.
func (p *pipeline) Rollback(ctx context.Context) error {
	if p.closed {
		return pgx.ErrTxClosed
	}
	defer p.release()
	if p.sent == 0 {
		return nil
	}
	return p.rollback(ctx)
}

// rollback sends ROLLBACK. If that fails, it closes the connection, which makes the server roll back.
func (p *pipeline) rollback(ctx context.Context) error {
	if p.conn.Conn().IsClosed() || p.conn.Conn().PgConn().TxStatus() == 'I' { // I: no transaction
		return nil
	}
	_, err := p.conn.Exec(ctx, "rollback")
	if err != nil {
		_ = p.conn.Conn().Close(ctx)
	}
	return err
}

func (p *pipeline) release() {
	p.closed = true
	p.conn.Release()
}

func (p *pipeline) CopyFrom(
	ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource,
) (int64, error) {
	if err := p.flush(ctx); err != nil {
		return 0, err
	}
	return p.conn.CopyFrom(ctx, table, columns, rows)
}

func (p *pipeline) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if err := p.flush(ctx); err != nil {
		return pgx.FailedBatchResults(batch, err)
	}
	return p.conn.SendBatch(ctx, batch)
}

func (p *pipeline) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	if err := p.flush(ctx); err != nil {
		return nil, err
	}
	return p.conn.Conn().Prepare(ctx, name, sql)
}

// LargeObjects panics: Itemcast uses none.
func (p *pipeline) LargeObjects() pgx.LargeObjects { panic("db: large objects are not supported") }

// Conn returns the connection. A statement run on it directly overtakes the queue.
func (p *pipeline) Conn() *pgx.Conn { return p.conn.Conn() }
