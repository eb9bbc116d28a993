package item

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
)

const (
	importBatch      = 100     // lines in one transaction
	maxLineBytes     = 1 << 20 // of one line
	maxReportedLines = 1000    // rejected lines that a report lists
)

// ImportOptions control an import.
type ImportOptions struct {
	Key          string            // names the import, so that it can resume where it stopped; without a key it cannot
	Again        bool              // start from the first line, even if the import of this key has got further
	CreateFields bool              // create metadata fields for unknown keys, instead of rejecting the line
	Progress     func(ImportCount) // called after each batch; may be nil
}

// ImportCount counts lines, without empty ones. Line is the number of the last line that was imported or rejected.
type ImportCount struct {
	Line, Created, Updated, Unchanged, Rejected int64
}

// Read returns the number of lines that were not empty.
func (c ImportCount) Read() int64 { return c.Created + c.Updated + c.Unchanged + c.Rejected }

// ImportReport is the result of an import, over all its runs. Errors lists the first 1,000 lines that this run
// rejected.
type ImportReport struct {
	ImportCount
	ResumedAfter int64 // the last line of earlier runs; 0 if there were none
	Errors       []LineError
	earlier      ImportCount
}

// Run returns the counts of this run only.
func (r *ImportReport) Run() ImportCount {
	return ImportCount{
		Line: r.Line, Created: r.Created - r.earlier.Created, Updated: r.Updated - r.earlier.Updated,
		Unchanged: r.Unchanged - r.earlier.Unchanged, Rejected: r.Rejected - r.earlier.Rejected,
	}
}

// LineError is a rejected line. Lines are numbered from 1.
type LineError struct {
	Line  int64
	Error *problem.Error
}

// Import reads one item input a line. A line with an id replaces that item or creates it; fields that only the server
// sets are ignored.
//
// Each batch of lines is committed together with the import's progress. So an interrupted import with a key resumes
// without duplicates. A rejected line changes nothing, and the import continues. Import returns what was done before an
// error. Errors: those of reading and of the database; CONFLICT if the key was used for other lines, or is in use.
func (s *Service) Import(ctx context.Context, lines io.Reader, options ImportOptions) (ImportReport, error) {
	report := ImportReport{Errors: []LineError{}}
	need := []account.Permission{account.ItemsCreate, account.ItemsEdit}
	if options.CreateFields {
		need = append(need, account.WorkflowsManage)
	}
	actor, err := account.Authorize(ctx, need...)
	if err != nil {
		return report, err
	}
	in := newLineReader(lines)
	if options.Key != "" {
		options.Key = actor.UserID.String() + " " + options.Key // users do not share keys
		if err := s.resumeImport(ctx, actor, in, options, &report); err != nil {
			return report, err
		}
	}
	for {
		batch, err := in.batch()
		if err != nil || len(batch) == 0 {
			return report, err
		}
		if err = s.importBatch(ctx, actor, in, batch, options, &report, false); isCollision(err) {
			err = s.importBatch(ctx, actor, in, batch, options, &report, true)
		}
		if err != nil {
			return report, err
		}
		if options.Progress != nil {
			options.Progress(report.ImportCount)
		}
	}
}

// isCollision reports whether a batch was rolled back because another batch wrote the same items: the other created one
// first (SQLSTATE 23505), or each waited for the other (40P01).
func isCollision(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (answer.Code == "23505" || answer.Code == "40P01")
}

// resumeImport skips the lines of the import's earlier runs. Error: CONFLICT if those were other lines, because their
// number would then skip lines that were never imported.
func (s *Service) resumeImport(
	ctx context.Context, actor account.Actor, in *lineReader, options ImportOptions, report *ImportReport,
) error {
	q := store.New(s.pool)
	if options.Again {
		if err := q.ResetImport(ctx, store.ResetImportParams{AccountID: actor.AccountID, Key: options.Key}); err != nil {
			return fmt.Errorf("reset import: %w", err)
		}
	}
	state, err := q.StartImport(ctx, store.StartImportParams{AccountID: actor.AccountID, Key: options.Key})
	if err != nil {
		return fmt.Errorf("start import: %w", err)
	}
	if err := in.skip(state.Line); err != nil {
		return err
	}
	if state.Digest != nil && !bytes.Equal(state.Digest, in.digest()) {
		return problem.New(problem.Conflict, "This import's key was used for other lines: the first %d lines differ. "+
			"Send the same lines, or use a new key.", state.Line)
	}
	report.earlier = ImportCount{
		Line: state.Line, Created: state.Created, Updated: state.Updated, Unchanged: state.Unchanged,
		Rejected: state.Rejected,
	}
	report.ImportCount, report.ResumedAfter = report.earlier, state.Line
	return nil
}

// importBatch imports the lines that were read last, and stores the progress, in one transaction. Other imports of the
// account may run at the same time, unless exclusive is set: a batch that collided runs alone.
func (s *Service) importBatch(
	ctx context.Context, actor account.Actor, in *lineReader, batch []inputLine, options ImportOptions,
	report *ImportReport, exclusive bool,
) error {
	count, rejected := report.ImportCount, []LineError{}
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		count, rejected = report.ImportCount, []LineError{}
		lock := store.New(db.Deferred(tx)).LockImportsShared
		if exclusive {
			lock = store.New(db.Deferred(tx)).LockImportsExclusive
		}
		if err := lock(ctx, actor.AccountID); err != nil {
			return fmt.Errorf("lock imports: %w", err)
		}
		if err := lockImport(ctx, tx, actor, options.Key, report.Line); err != nil {
			return err
		}
		for _, line := range batch {
			outcome, err := s.importLine(ctx, tx, actor, line.text, options.CreateFields)
			if fault := problem.Of(err); fault != nil {
				rejected = append(rejected, LineError{Line: line.number, Error: fault})
				count.Rejected++
				continue
			}
			if err != nil {
				return fmt.Errorf("import line %d: %w", line.number, err)
			}
			switch outcome {
			case created:
				count.Created++
			case updated:
				count.Updated++
			default:
				count.Unchanged++
			}
		}
		count.Line = in.number
		if options.Key == "" {
			return nil
		}
		return store.New(tx).AdvanceImport(ctx, store.AdvanceImportParams{
			AccountID: actor.AccountID, Key: options.Key, Line: count.Line, Created: count.Created, Updated: count.Updated,
			Unchanged: count.Unchanged, Rejected: count.Rejected, Digest: in.digest(),
		})
	})
	if err != nil {
		return err
	}
	report.ImportCount = count
	report.Errors = append(report.Errors, rejected[:min(len(rejected), maxReportedLines-len(report.Errors))]...)
	return nil
}

// lockImport locks the import's progress. Error: CONFLICT if another run has moved it.
func lockImport(ctx context.Context, tx pgx.Tx, actor account.Actor, key string, line int64) error {
	if key == "" {
		return nil
	}
	stored, err := store.New(tx).LockImport(ctx, store.LockImportParams{AccountID: actor.AccountID, Key: key})
	if err != nil {
		return fmt.Errorf("lock import: %w", err)
	}
	if stored != line {
		return problem.New(problem.Conflict, "This import is running elsewhere. Let it finish, or try again.")
	}
	return nil
}
