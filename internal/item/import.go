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
	importBatch  = 100
	maxLineBytes = 1 << 20
	maxLinesTold = 1000
)

// ImportOptions steer an import.
type ImportOptions struct {
	Key          string            // names the import, so that it can go on where it stopped; "" cannot
	Again        bool              // begin at the first line, however far the import of this key had come
	CreateFields bool              // make metadata fields for keys that are unknown, where the line would be rejected
	Progress     func(ImportCount) // called after each batch; may be nil
}

// ImportCount counts lines; empty ones are none. Line is the number of the last line that is done with.
type ImportCount struct {
	Line, Created, Updated, Unchanged, Rejected int64
}

// Read is the number of lines that were not empty.
func (c ImportCount) Read() int64 { return c.Created + c.Updated + c.Unchanged + c.Rejected }

// ImportReport is what an import did, in all its runs. Errors tells of the first 1,000 rejected lines of this call.
type ImportReport struct {
	ImportCount
	ResumedAfter int64 // the last line that earlier runs were done with; 0 when there was none
	Errors       []LineError
	earlier      ImportCount
}

// Run is what this call did, without the runs before it.
func (r *ImportReport) Run() ImportCount {
	return ImportCount{Line: r.Line, Created: r.Created - r.earlier.Created, Updated: r.Updated - r.earlier.Updated,
		Unchanged: r.Unchanged - r.earlier.Unchanged, Rejected: r.Rejected - r.earlier.Rejected}
}

// LineError is a rejected line, counted from 1.
type LineError struct {
	Line  int64
	Error *problem.Error
}

// Import reads one item input a line. A line with an id replaces that item or creates it; what only the server sets is passed over. Lines
// are committed in batches, each with the import's progress, so that an import with a key goes on after an interruption without
// duplicates. A rejected line leaves no trace and the rest goes on. Errors, with what was done so far: those of reading and of the
// database; CONFLICT when the key was used for other lines, or is in use.
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
		options.Key = actor.UserID.String() + " " + options.Key // a user's keys are the user's own
		if err := s.resumeImport(ctx, actor, in, options, &report); err != nil {
			return report, err
		}
	}
	for {
		batch, err := in.batch()
		if err != nil || len(batch) == 0 {
			return report, err
		}
		if err = s.importBatch(ctx, actor, in, batch, options, &report, false); inTheWay(err) {
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

// inTheWay reports whether a batch was undone because another one wrote the same items at the same time: created one first (SQLSTATE 23505),
// or held one while it waited for another (40P01).
func inTheWay(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (answer.Code == "23505" || answer.Code == "40P01")
}

// resumeImport passes over the lines that earlier runs of the import are done with. Error: CONFLICT when those were other lines: their
// numbers would skip lines that nobody has imported.
func (s *Service) resumeImport(ctx context.Context, actor account.Actor, in *lineReader, options ImportOptions, report *ImportReport) error {
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
		return problem.New(problem.Conflict, "This import's key was used for other lines: the first %d are not those that were imported with it. "+
			"Send the same lines, or others under a new key.", state.Line)
	}
	report.earlier = ImportCount{Line: state.Line, Created: state.Created, Updated: state.Updated, Unchanged: state.Unchanged, Rejected: state.Rejected}
	report.ImportCount, report.ResumedAfter = report.earlier, state.Line
	return nil
}

// importBatch imports lines, the last that in has read, and notes the progress, in one transaction. Other imports of the account run beside
// it unless it is to be alone, as one is that they were in the way of.
func (s *Service) importBatch(ctx context.Context, actor account.Actor, in *lineReader, batch []line, options ImportOptions, report *ImportReport, alone bool) error {
	count, rejected := report.ImportCount, []LineError{}
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		count, rejected = report.ImportCount, []LineError{}
		lock := store.New(db.Deferred(tx)).ShareImports
		if alone {
			lock = store.New(db.Deferred(tx)).ImportAlone
		}
		if err := lock(ctx, actor.AccountID); err != nil {
			return fmt.Errorf("lock imports: %w", err)
		}
		if err := lockImport(ctx, tx, actor, options.Key, report.Line); err != nil {
			return err
		}
		for _, line := range batch {
			outcome, err := s.importLine(ctx, tx, actor, line.text, options.CreateFields)
			if told := problem.Of(err); told != nil {
				rejected = append(rejected, LineError{Line: line.number, Error: told})
				count.Rejected++
				continue
			}
			if err != nil {
				return fmt.Errorf("import line %d: %w", line.number, err)
			}
			switch outcome {
			case outcomeCreated:
				count.Created++
			case outcomeUpdated:
				count.Updated++
			default:
				count.Unchanged++
			}
		}
		count.Line = in.number
		if options.Key == "" {
			return nil
		}
		return store.New(tx).AdvanceImport(ctx, store.AdvanceImportParams{AccountID: actor.AccountID, Key: options.Key, Line: count.Line,
			Created: count.Created, Updated: count.Updated, Unchanged: count.Unchanged, Rejected: count.Rejected, Digest: in.digest()})
	})
	if err != nil {
		return err
	}
	report.ImportCount = count
	report.Errors = append(report.Errors, rejected[:min(len(rejected), maxLinesTold-len(report.Errors))]...)
	return nil
}

// lockImport makes sure that nobody else has taken this import further meanwhile.
func lockImport(ctx context.Context, tx pgx.Tx, actor account.Actor, key string, line int64) error {
	if key == "" {
		return nil
	}
	at, err := store.New(tx).LockImport(ctx, store.LockImportParams{AccountID: actor.AccountID, Key: key})
	if err != nil {
		return fmt.Errorf("lock import: %w", err)
	}
	if at != line {
		return problem.New(problem.Conflict, "This import is under way elsewhere; let it finish, or try again.")
	}
	return nil
}
