package db

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pipeline is a pgx.Tx that saves round trips: BEGIN goes to Postgres with the first statement, and a statement whose result nobody needs
// (Later) with the next that somebody waits for, or with COMMIT. Postgres runs them in order, each with a snapshot of its own, and after
// one that failed none: the error is returned by the statement that was waited for, or by Commit.
type pipeline struct {
	conn       *pgxpool.Conn
	queued     *pgx.Batch
	batches    int // sent, the first with BEGIN
	savepoints int
	closed     bool
}

var _ pgx.Tx = (*pipeline)(nil)

// Later queues statements of a transaction whose results nobody needs: Exec returns at once, without a tag and without the error that
// there may be. On another transaction than one of this package, Exec is that transaction's own.
func Later(tx pgx.Tx) DBTX {
	switch t := tx.(type) {
	case *pipeline:
		return later{t}
	case *savepoint:
		return later{t.pipeline}
	default:
		return tx
	}
}

type later struct{ *pipeline }

func (l later) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if l.closed {
		return pgconn.CommandTag{}, pgx.ErrTxClosed
	}
	l.queued.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

// begin takes a connection, and queues BEGIN.
func begin(ctx context.Context, pool *pgxpool.Pool) (*pipeline, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	p := &pipeline{conn: conn, queued: &pgx.Batch{}}
	p.queued.Queue("begin")
	return p, nil
}

// send has everything that is queued run, of which the caller takes the last result. On an error there is nothing to take.
func (p *pipeline) send(ctx context.Context) (pgx.BatchResults, error) {
	if p.closed {
		return nil, pgx.ErrTxClosed
	}
	batch := p.queued
	p.queued = &pgx.Batch{}
	p.batches++
	results := p.conn.SendBatch(ctx, batch)
	for range batch.Len() - 1 {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return nil, err
		}
	}
	return results, nil
}

// flush has everything that is queued run.
func (p *pipeline) flush(ctx context.Context) error {
	if p.queued.Len() == 0 {
		return nil
	}
	results, err := p.send(ctx)
	if err != nil {
		return err
	}
	return results.Close()
}

// direct reports whether a statement goes by itself: nothing is queued, or it has options, which a batch has not.
func (p *pipeline) direct(ctx context.Context, args []any) (bool, error) {
	if p.closed {
		return false, pgx.ErrTxClosed
	}
	if len(args) > 0 {
		switch args[0].(type) {
		case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID, pgx.QueryRewriter:
			return true, p.flush(ctx)
		}
	}
	return p.queued.Len() == 0, nil
}

func (p *pipeline) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	direct, err := p.direct(ctx, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	if direct {
		return p.conn.Exec(ctx, sql, args...)
	}
	p.queued.Queue(sql, args...)
	results, err := p.send(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	return tag, finish(results, err)
}

func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	direct, err := p.direct(ctx, args)
	if err != nil {
		return failed{err: err}, err
	}
	if direct {
		return p.conn.Query(ctx, sql, args...)
	}
	p.queued.Queue(sql, args...)
	results, err := p.send(ctx)
	if err != nil {
		return failed{err: err}, err
	}
	rows, err := results.Query()
	return &lastRows{Rows: rows, results: results}, err
}

func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, _ := p.Query(ctx, sql, args...) // the rows tell the error too
	return oneRow{rows}
}

// Commit sends COMMIT, with what is queued. A transaction in which nothing was sent is forgotten.
func (p *pipeline) Commit(ctx context.Context) error {
	if p.closed {
		return pgx.ErrTxClosed
	}
	defer p.end()
	if p.batches == 0 && p.queued.Len() == 1 { // BEGIN alone
		return nil
	}
	p.queued.Queue("commit")
	results, err := p.send(ctx)
	if err != nil {
		_ = p.undo(ctx)
		return err
	}
	tag, err := results.Exec()
	if err = finish(results, err); err != nil {
		_ = p.undo(ctx)
		return err
	}
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// Rollback drops what is queued and undoes the rest.
func (p *pipeline) Rollback(ctx context.Context) error {
	if p.closed {
		return pgx.ErrTxClosed
	}
	defer p.end()
	if p.batches == 0 {
		return nil
	}
	return p.undo(ctx)
}

// undo rolls back what was sent. Should that fail, the connection is closed, and the server rolls back.
func (p *pipeline) undo(ctx context.Context) error {
	if p.conn.Conn().IsClosed() || p.conn.Conn().PgConn().TxStatus() == 'I' {
		return nil
	}
	_, err := p.conn.Exec(ctx, "rollback")
	if err != nil {
		_ = p.conn.Conn().Close(ctx)
	}
	return err
}

func (p *pipeline) end() {
	p.closed = true
	p.conn.Release()
}

// Begin opens a savepoint.
func (p *pipeline) Begin(context.Context) (pgx.Tx, error) {
	if p.closed {
		return nil, pgx.ErrTxClosed
	}
	p.savepoints++
	s := &savepoint{pipeline: p, name: "sp_" + strconv.Itoa(p.savepoints), batch: p.batches, at: p.queued.Len()}
	p.queued.Queue("savepoint " + s.name)
	return s, nil
}

func (p *pipeline) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
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

// LargeObjects are not supported.
func (p *pipeline) LargeObjects() pgx.LargeObjects { panic("db: large objects are not supported") }

// Conn is the connection; what is run on it directly overtakes what is queued.
func (p *pipeline) Conn() *pgx.Conn { return p.conn.Conn() }

// savepoint is a part of a transaction that can be undone by itself.
type savepoint struct {
	*pipeline
	name      string
	batch, at int // where it was queued
	ended     bool
}

// Commit keeps the part; when it fails, the part is undone, and the transaction can go on.
func (s *savepoint) Commit(ctx context.Context) error {
	if s.ended {
		return pgx.ErrTxClosed
	}
	_, err := s.Exec(ctx, "release savepoint "+s.name)
	if err != nil { // a statement that was queued failed
		_ = s.Rollback(ctx)
	}
	s.ended = true
	return err
}

func (s *savepoint) Rollback(ctx context.Context) error {
	if s.ended {
		return pgx.ErrTxClosed
	}
	s.ended = true
	if s.batch == s.batches { // not sent yet, and so nothing that followed
		s.queued.QueuedQueries = s.queued.QueuedQueries[:s.at]
		return nil
	}
	s.queued = &pgx.Batch{}
	_, err := s.Exec(ctx, "rollback to savepoint "+s.name)
	return err
}

// lastRows are the rows of a batch's last statement, with which the batch ends.
type lastRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
	ended   bool
}

func (r *lastRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *lastRows) Close() {
	r.Rows.Close()
	if !r.ended {
		r.ended, r.err = true, r.results.Close()
	}
}

func (r *lastRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// oneRow reads the only row.
type oneRow struct{ rows pgx.Rows }

func (r oneRow) Scan(to ...any) error {
	defer r.rows.Close()
	if err := r.rows.Err(); err != nil {
		return err
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(to...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// failed are the rows of a statement that was never answered.
type failed struct {
	pgx.Rows
	err error
}

func (f failed) Close()     {}
func (f failed) Err() error { return f.err }
func (f failed) Next() bool { return false }

// finish ends a batch, and returns the first error: after err, what the end says is no news.
func finish(results pgx.BatchResults, err error) error {
	closing := results.Close()
	if err != nil {
		return err
	}
	return closing
}
