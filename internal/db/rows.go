package db

import "github.com/jackc/pgx/v5"

// lastRows are the rows of a batch's last statement. Closing them, or reading them to the end, closes the batch.
type lastRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
	closed  bool
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
	if !r.closed {
		r.closed, r.err = true, r.results.Close()
	}
}

func (r *lastRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

// singleRow scans the first row and closes the rows.
type singleRow struct{ rows pgx.Rows }

func (r singleRow) Scan(targets ...any) error {
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
	if err := r.rows.Scan(targets...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

// failedRows are the rows of a statement that Postgres did not answer. They have only an error.
type failedRows struct {
	pgx.Rows
	err error
}

func (r failedRows) Close()     {}
func (r failedRows) Err() error { return r.err }
func (r failedRows) Next() bool { return false }

// closeBatch closes a batch whose last statement ended with err, and returns the first error.
func closeBatch(results pgx.BatchResults, err error) error {
	closeErr := results.Close()
	if err != nil {
		return err
	}
	return closeErr
}
