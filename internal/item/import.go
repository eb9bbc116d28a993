package item

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db/dbsqlc"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

const (
	importBatch  = 100
	maxLineBytes = 1 << 20
	maxLinesTold = 1000
)

// What became of a line that was taken.
const (
	outcomeCreated = iota
	outcomeUpdated
	outcomeUnchanged
)

// ImportOptions steer an import.
type ImportOptions struct {
	Key          string            // names the import, so that it can go on where it stopped; "" cannot
	CreateFields bool              // make metadata fields for keys that are unknown, where the line would be rejected
	Progress     func(ImportCount) // called after each batch; may be nil
}

// ImportCount counts lines; empty ones are none. Lines is the number of the last line that is done with.
type ImportCount struct {
	Line, Created, Updated, Unchanged, Rejected int64
}

// Read is the number of lines that were not empty.
func (c ImportCount) Read() int64 { return c.Created + c.Updated + c.Unchanged + c.Rejected }

// ImportReport is what an import did. Errors tells of the first 1,000 rejected lines of this call.
type ImportReport struct {
	ImportCount
	ResumedAfter int64
	Errors       []LineError
}

// LineError is a rejected line, counted from 1.
type LineError struct {
	Line  int64
	Error *problem.Error
}

// Import reads one item input a line. A line with an id replaces that item or creates it; what only the server sets is passed over. Lines
// are committed in batches, each with the import's progress, so that an import with a key goes on after an interruption without
// duplicates. A rejected line leaves no trace and the rest goes on. Errors, with what was done so far: those of reading and of the database.
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
	if options.Key != "" {
		options.Key = actor.UserID.String() + " " + options.Key // a user's keys are the user's own
		state, err := dbsqlc.New(s.pool).StartImport(ctx, dbsqlc.StartImportParams{AccountID: actor.AccountID, Key: options.Key})
		if err != nil {
			return report, fmt.Errorf("start import: %w", err)
		}
		report.ResumedAfter = state.Line
		report.ImportCount = ImportCount{Line: state.Line, Created: state.Created, Updated: state.Updated, Unchanged: state.Unchanged, Rejected: state.Rejected}
	}
	reader := bufio.NewReaderSize(lines, 64<<10)
	number := int64(0)
	for {
		batch, end, err := readBatch(reader, &number, report.ResumedAfter)
		if err != nil {
			return report, err
		}
		if len(batch) > 0 {
			if err := s.importBatch(ctx, actor, batch, number, options, &report); err != nil {
				return report, err
			}
			if options.Progress != nil {
				options.Progress(report.ImportCount)
			}
		}
		if end {
			return report, nil
		}
	}
}

type line struct {
	number int64
	text   []byte // nil: too long
}

// readBatch reads up to importBatch lines that are not empty and lie after skip.
func readBatch(r *bufio.Reader, number *int64, skip int64) (batch []line, end bool, err error) {
	for len(batch) < importBatch {
		text, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, problem.New(problem.BadRequest, "The lines could not be read to the end; send them again.")
		}
		end = err != nil
		if end && len(text) == 0 {
			return batch, true, nil
		}
		*number++
		if *number == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark, as Windows editors leave it
		}
		switch {
		case len(text) > maxLineBytes:
			text = nil
		case len(bytes.TrimSpace(text)) == 0:
			continue
		}
		if *number > skip {
			batch = append(batch, line{number: *number, text: text})
		}
		if end {
			return batch, true, nil
		}
	}
	return batch, false, nil
}

// readLine returns the next line without its end; of one that is too long, only enough to tell.
func readLine(r *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(text) <= maxLineBytes {
			text = append(text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		return bytes.TrimRight(text, "\r\n"), err
	}
}

func (s *Service) importBatch(ctx context.Context, actor account.Actor, batch []line, last int64, options ImportOptions, report *ImportReport) error {
	count, rejected := report.ImportCount, []LineError{}
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		count, rejected = report.ImportCount, []LineError{}
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
		count.Line = last
		if options.Key == "" {
			return nil
		}
		return dbsqlc.New(tx).AdvanceImport(ctx, dbsqlc.AdvanceImportParams{AccountID: actor.AccountID, Key: options.Key, Line: count.Line,
			Created: count.Created, Updated: count.Updated, Unchanged: count.Unchanged, Rejected: count.Rejected})
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
	at, err := dbsqlc.New(tx).LockImport(ctx, dbsqlc.LockImportParams{AccountID: actor.AccountID, Key: key})
	if err != nil {
		return fmt.Errorf("lock import: %w", err)
	}
	if at != line {
		return problem.New(problem.Conflict, "This import is under way elsewhere; let it finish, or try again.")
	}
	return nil
}

// importLine does what one line says, in a savepoint of its own, so that a rejected line leaves no trace.
func (s *Service) importLine(ctx context.Context, tx pgx.Tx, actor account.Actor, text []byte, createFields bool) (outcome int, err error) {
	if text == nil {
		return 0, problem.New(problem.TooLarge, "The line is longer than 1 MiB.")
	}
	id, raw, err := stripReadOnly(text)
	if err != nil {
		return 0, err
	}
	input, err := s.checked(raw)
	if err != nil {
		return 0, err
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		if createFields {
			if err := s.createMissingFields(ctx, dbsqlc.New(tx), actor, input.Metadata); err != nil {
				return err
			}
		}
		outcome, err = s.importItem(ctx, tx, actor, id, input)
		return err
	})
	return outcome, err
}

func (s *Service) importItem(ctx context.Context, tx pgx.Tx, actor account.Actor, id *uuid.UUID, input ItemInput) (int, error) {
	if id == nil {
		_, err := s.create(ctx, tx, actor, uuid.Must(uuid.NewV7()), input)
		return outcomeCreated, err
	}
	_, changed, err := s.editIn(ctx, tx, actor, *id, nil, func(*Item) (ItemInput, error) { return input, nil })
	switch {
	case problem.Is(err, problem.NotFound):
		taken, err := dbsqlc.New(tx).ItemOwnedElsewhere(ctx, dbsqlc.ItemOwnedElsewhereParams{ID: *id, AccountID: actor.AccountID})
		if err != nil {
			return 0, fmt.Errorf("look up id: %w", err)
		}
		if taken {
			return 0, problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/id", Detail: "is not an id that this account can use"})
		}
		_, err = s.create(ctx, tx, actor, *id, input)
		return outcomeCreated, err
	case err != nil:
		return 0, err
	case changed:
		return outcomeUpdated, nil
	default:
		return outcomeUnchanged, nil
	}
}

// readOnly are the fields of a document that an input does not have.
var readOnly = []string{"url", "workflow", "created_by", "created_at", "updated_at", "published_at", "revision"}

// stripReadOnly takes the id and what only the server sets off an exported document.
func stripReadOnly(text []byte) (id *uuid.UUID, input []byte, err error) {
	if err := strictjson.Check(text, strictjson.Limits{}); err != nil { // before a name that comes twice is lost
		return nil, nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, text, nil // the check of the input says what is wrong
	}
	rawID, hasID := members["id"]
	for _, name := range readOnly {
		if _, ok := members[name]; ok {
			hasID = true
			delete(members, name)
		}
	}
	if !hasID {
		return nil, text, nil
	}
	delete(members, "id")
	if rawID != nil {
		if err := json.Unmarshal(rawID, &id); err != nil || id == nil || *id == uuid.Nil {
			return nil, nil, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/id", Detail: "must be a UUID"})
		}
	}
	input, err = json.Marshal(members)
	return id, input, err
}

func (s *Service) createMissingFields(ctx context.Context, q *dbsqlc.Queries, actor account.Actor, metadata json.RawMessage) error {
	values, err := decodeObject(metadata)
	if err != nil || len(values) == 0 {
		return err
	}
	fields, err := q.ListMetadataFields(ctx, actor.AccountID)
	if err != nil {
		return fmt.Errorf("list metadata fields: %w", err)
	}
	for _, f := range fields {
		delete(values, f.Key)
	}
	count := len(fields)
	for _, key := range slices.Sorted(maps.Keys(values)) { // in one order, so that two imports do not wait for each other
		kind, ok := kindOf(values[key])
		if !ok || !fieldKey.MatchString(key) {
			continue // the check of the metadata says what is wrong
		}
		if count++; count > maxFields {
			return errTooManyFields
		}
		_, err := q.InsertMetadataField(ctx, dbsqlc.InsertMetadataFieldParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID,
			Key: key, Label: key, Kind: kind, Choices: []string{}})
		if err != nil && !errors.Is(err, pgx.ErrNoRows) { // no row: another import has just made it
			return fmt.Errorf("insert metadata field: %w", err)
		}
	}
	return nil
}
