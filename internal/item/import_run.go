package item

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/importfile"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
)

// importRun is one run of an import.
type importRun struct {
	*Service
	actor     account.Actor
	options   ImportOptions
	in        *importReader
	report    *ImportReport
	position  int64           // of the last entry that was imported or rejected
	madeDates map[string]bool // keys of the date fields that this import has created
	surveyed  bool            // the survey has the whole input
	undefined bool            // a definition of a metadata field was rejected
}

// batchResult is what a batch adds to the report.
type batchResult struct {
	count    ImportCount
	rejected []LineError
	fields   []CreatedField // of the whole import
}

// lookAhead surveys the whole input, or reads ahead, if the batch has names without a field, whose kinds more values
// decide. It does so before the batch's transaction, which must not wait for the client.
func (r *importRun) lookAhead(ctx context.Context) error {
	if !r.options.CreateFields || len(r.in.survey.kinds) == 0 {
		return nil
	}
	fields, err := store.New(r.pool).ListMetadataFields(ctx, r.actor.AccountID)
	if err != nil {
		return fmt.Errorf("list metadata fields: %w", err)
	}
	for name := range r.in.survey.kinds {
		if !slices.ContainsFunc(fields, func(f store.MetadataField) bool { return f.Key == name || f.Label == name }) {
			if r.options.Reopen != nil {
				return r.surveyAll(ctx)
			}
			r.in.readAhead(maxAhead)
			return nil
		}
	}
	return nil
}

// surveyAll adds the values of the whole input to the survey, once. If the input cannot be read to its end, the import
// reports it there.
func (r *importRun) surveyAll(ctx context.Context) error {
	if r.surveyed {
		return nil
	}
	r.surveyed = true
	input, err := r.options.Reopen()
	if err != nil {
		return fmt.Errorf("read the import: %w", err)
	}
	defer input.Close()
	all, err := importfile.Open(input, r.options.fileOptions())
	for err == nil {
		var entry importfile.Entry
		if entry, err = all.Next(); err == nil {
			r.in.survey.add(entry)
			err = ctx.Err()
		}
	}
	return ctx.Err()
}

// batch imports the entries that were read last, and stores the progress, in one transaction. Other imports of the
// account may run at the same time, unless exclusive is set: a batch that collided runs alone.
func (r *importRun) batch(ctx context.Context, batch []importfile.Entry, exclusive bool) error {
	var result batchResult
	err := r.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		result = batchResult{count: r.report.ImportCount, fields: slices.Clone(r.report.Fields)}
		lock := store.New(db.Deferred(tx)).LockImportsShared
		if exclusive {
			lock = store.New(db.Deferred(tx)).LockImportsExclusive
		}
		if err := lock(ctx, r.actor.AccountID); err != nil {
			return fmt.Errorf("lock imports: %w", err)
		}
		if err := lockImport(ctx, tx, r.actor, r.options.Key, r.position); err != nil {
			return err
		}
		r.noteDates(result.fields)
		for _, entry := range batch {
			if err := r.entry(ctx, tx, entry, &result); err != nil {
				return err
			}
		}
		return r.advance(ctx, tx, &result)
	})
	if err != nil {
		return err
	}
	r.position = r.in.last.Position
	r.report.ImportCount, r.report.Fields = result.count, result.fields
	free := maxReportedLines - len(r.report.Errors)
	r.report.Errors = append(r.report.Errors, result.rejected[:min(len(result.rejected), free)]...)
	return nil
}

// entry imports an entry and counts it.
func (r *importRun) entry(ctx context.Context, tx pgx.Tx, entry importfile.Entry, result *batchResult) error {
	result.count.Line = entry.Line
	outcome, placed, err := r.line(ctx, tx, entry)
	if fault := problem.Of(err); fault != nil {
		rejected := LineError{Line: entry.Line, Error: r.advised(fault, entry.Text)}
		if r.in.Unit() == "element" {
			rejected.Element = entry.Position
		}
		result.rejected = append(result.rejected, rejected)
		result.count.Rejected++
		r.undefined = r.undefined || isDefinition(entry.Text)
		return nil
	}
	if err != nil {
		return fmt.Errorf("import line %d: %w", entry.Line, err)
	}
	switch outcome {
	case created:
		result.count.Created++
	case updated:
		result.count.Updated++
	default:
		result.count.Unchanged++
	}
	if len(placed.created)+len(placed.widened) > 0 {
		result.add(placed)
		r.noteDates(result.fields)
	}
	return nil
}

// add adds the fields that a line has created or changed.
func (b *batchResult) add(placed placement) {
	b.fields = append(b.fields, placed.created...)
	for i, f := range b.fields {
		if slices.Contains(placed.widened, f.Key) {
			b.fields[i].Kind = "text"
		}
	}
}

func (r *importRun) noteDates(fields []CreatedField) {
	r.madeDates = map[string]bool{}
	for _, f := range fields {
		r.madeDates[f.Key] = f.Kind == "date" && !f.Defined
	}
}

// advance stores the progress of an import with a key.
func (r *importRun) advance(ctx context.Context, tx pgx.Tx, result *batchResult) error {
	if r.options.Key == "" {
		return nil
	}
	fields, err := json.Marshal(append([]CreatedField{}, result.fields...))
	if err != nil {
		return fmt.Errorf("encode created fields: %w", err)
	}
	count := &result.count
	return store.New(tx).AdvanceImport(ctx, store.AdvanceImportParams{
		AccountID: r.actor.AccountID, Key: r.options.Key, Line: r.in.last.Position, Created: count.Created,
		Updated: count.Updated, Unchanged: count.Unchanged, Rejected: count.Rejected, Digest: r.in.last.Digest[:],
		Fields: fields, Undefined: r.undefined,
	})
}
