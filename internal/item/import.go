package item

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"itemcast/internal/account"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
)

const (
	importBatch      = 100     // lines in one transaction
	importBatchBytes = 8 << 20 // after which a batch has no more lines; bounds the memory
	maxReportedLines = 1000    // rejected lines that a report lists
)

// ImportOptions control an import.
type ImportOptions struct {
	Key          string // names the import, so that it can resume where it stopped; without a key it cannot
	Again        bool   // start from the first line, even if the import of this key has got further
	CreateFields bool   // create metadata fields for unknown names, instead of rejecting the line
	KeepTimes    bool   // keep created_at, updated_at and published_at of exported documents; see restored
	TagSeparator string // between the tags in a cell of a table; "" is a comma
	Gzip         bool   // decompress gzip, instead of refusing it

	// Reopen returns the whole input once more, so that all of its values decide the kinds of new fields. If nil, the
	// input can be read only once, and the next 1,000 lines decide.
	Reopen   func() (io.ReadCloser, error)
	Progress func(ImportCount) // called after each batch; may be nil
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
	ResumedAfter int64          // the last line of earlier runs, in a JSON array the last element; 0 if there were none
	Unit         string         // what an entry is called: line, element or row
	Fields       []CreatedField // in the order of their creation
	Ignored      []string       // columns of a table that only the server sets
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

// LineError is a rejected line. Lines and elements are numbered from 1.
type LineError struct {
	Line    int64 // where the entry begins
	Element int64 // of a JSON array; 0 in other formats
	Error   *problem.Error
}

// Import reads item inputs in the formats of package importfile: one a line, as elements of an array, or as rows of a
// table. One with an id replaces that item or creates it; fields that only the server sets are ignored, and a row does
// not change fields that have no column.
//
// Each batch is committed together with the import's progress. So an interrupted import with a key resumes without
// duplicates. A rejected line changes nothing, and the import continues. Import returns what was done before an error.
// Errors: UNSUPPORTED_MEDIA_TYPE, which names any other format; those of reading and of the database; CONFLICT if the
// key was used for other lines, or is in use.
func (s *Service) Import(ctx context.Context, input io.Reader, options ImportOptions) (ImportReport, error) {
	report := ImportReport{Errors: []LineError{}}
	need := []account.Permission{account.ItemsCreate, account.ItemsEdit}
	if options.CreateFields {
		need = append(need, account.WorkflowsManage)
	}
	if options.KeepTimes {
		need = append(need, account.UsersManage)
	}
	actor, err := account.Authorize(ctx, need...)
	if err != nil {
		return report, err
	}
	in, err := openImport(input, &options)
	if err != nil {
		return report, err
	}
	report.Unit, report.Ignored = in.Unit(), in.ignoredColumns(options.KeepTimes)
	run := &importRun{Service: s, actor: actor, options: options, in: in, report: &report}
	if options.Key != "" {
		run.options.Key = owner(actor) + " " + options.Key
		if err := run.resume(ctx); err != nil {
			return report, err
		}
	}
	for {
		batch, unread := in.batch()
		if len(batch) == 0 {
			return report, unread
		}
		if err := run.lookAhead(ctx); err != nil {
			return report, err
		}
		if err = run.batch(ctx, batch, false); isCollision(err) {
			err = run.batch(ctx, batch, true)
		}
		if err != nil {
			return report, err
		}
		if options.Progress != nil {
			options.Progress(report.ImportCount)
		}
		if unread != nil { // what precedes it is imported
			return report, unread
		}
	}
}

// owner returns to whom the key of an import belongs. Neither users nor their tokens share keys, because a report tells
// what earlier runs have done.
func owner(actor account.Actor) string {
	if actor.Token != nil {
		return actor.UserID.String() + " " + actor.Token.ID.String()
	}
	return actor.UserID.String()
}

// isCollision reports whether a batch was rolled back because another batch wrote the same items: the other created one
// first (SQLSTATE 23505), or each waited for the other (40P01).
func isCollision(err error) bool {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (answer.Code == "23505" || answer.Code == "40P01")
}

// resume skips the lines of the import's earlier runs. Error: CONFLICT if those were other lines, because their number
// would then skip lines that were never imported.
func (r *importRun) resume(ctx context.Context) error {
	q, account, key := store.New(r.pool), r.actor.AccountID, r.options.Key
	if r.options.Again {
		if err := q.ResetImport(ctx, store.ResetImportParams{AccountID: account, Key: key}); err != nil {
			return fmt.Errorf("reset import: %w", err)
		}
	}
	state, err := q.StartImport(ctx, store.StartImportParams{AccountID: account, Key: key})
	if err != nil {
		return fmt.Errorf("start import: %w", err)
	}
	if err := json.Unmarshal(state.Fields, &r.report.Fields); err != nil {
		return fmt.Errorf("decode created fields: %w", err)
	}
	if err := r.in.skip(state.Line); err != nil {
		return err
	}
	if state.Digest != nil && !bytes.Equal(state.Digest, r.in.last.Digest[:]) {
		return problem.New(problem.Conflict, "This import's key was used for other %ss: the first %d differ. "+
			"Send the same %[1]ss, or use a new key.", r.in.Unit(), state.Line)
	}
	r.report.earlier = ImportCount{
		Line: r.in.last.Line, Created: state.Created, Updated: state.Updated, Unchanged: state.Unchanged,
		Rejected: state.Rejected,
	}
	r.position, r.report.ImportCount, r.report.ResumedAfter = state.Line, r.report.earlier, state.Line
	r.undefined = state.Undefined
	return nil
}

// lockImport locks the import's progress. Error: CONFLICT if another run has moved it.
func lockImport(ctx context.Context, tx pgx.Tx, actor account.Actor, key string, position int64) error {
	if key == "" {
		return nil
	}
	stored, err := store.New(tx).LockImport(ctx, store.LockImportParams{AccountID: actor.AccountID, Key: key})
	if err != nil {
		return fmt.Errorf("lock import: %w", err)
	}
	if stored != position {
		return problem.New(problem.Conflict, "This import is running elsewhere. Let it finish, or try again.")
	}
	return nil
}
