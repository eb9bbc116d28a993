package item

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
	"itemcast/internal/importfile"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// outcome is the effect of an accepted line.
type outcome int

const (
	created outcome = iota
	updated
	unchanged
)

// line imports an entry in a savepoint, so that a rejected one leaves no trace.
func (r *importRun) line(
	ctx context.Context, tx pgx.Tx, entry importfile.Entry,
) (result outcome, placed placement, err error) {
	if entry.Err != nil {
		return 0, placed, entry.Err
	}
	if isDefinition(entry.Text) {
		result, placed.created, err = r.definition(ctx, tx, entry.Text)
		return result, placed, err
	}
	line := splitDocument(entry.Text)
	if !r.options.KeepTimes {
		line.restored, line.badTimes = nil, nil
	} else if line.restored != nil {
		line.restored.checked = r.undefined
	}
	input, err := r.decodeChecked(line.input)
	if err != nil || line.badID != nil || line.badTimes != nil {
		return 0, placed, r.withLineFaults(ctx, tx, &line, join(join(line.badID, line.badTimes), problem.Of(err)))
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		if placed, err = r.place(ctx, store.New(tx), input.Metadata, line.restored); err != nil {
			return err
		}
		input.Metadata = placed.metadata
		result, err = r.item(ctx, tx, &line, input)
		return err
	})
	return result, placed, placed.renamed(err)
}

func (r *importRun) item(ctx context.Context, tx pgx.Tx, line *documentLine, input ItemInput) (outcome, error) {
	id, d := line.id, newDraft(r.actor, input, line.input)
	d.restored, d.imported = line.restored, true
	if id == nil {
		_, err := r.insert(ctx, tx, r.actor, uuid.Must(uuid.NewV7()), 0, d)
		return created, err
	}
	// An export can be imported again even if a metadata field has changed since.
	replace := func(i *Item) (_ draft, err error) {
		d.ItemInput, err = r.in.overItem(i, input)
		d.keepProfile(i, line.input)
		return d, err
	}
	_, changed, err := r.revise(ctx, tx, r.actor, *id, nil, replace)
	switch {
	case problem.Is(err, problem.NotFound):
		taken, err := store.New(tx).ItemTaken(ctx, *id)
		if err != nil {
			return 0, fmt.Errorf("look up id: %w", err)
		}
		if taken {
			return 0, errIDTaken
		}
		last, err := change.LastRevision(ctx, tx, r.actor.AccountID, *id)
		if errors.Is(err, change.ErrForeignID) {
			return 0, errIDTaken
		}
		if err != nil {
			return 0, err
		}
		if last > 0 {
			if err := r.checkDeleted(ctx, tx, *id); err != nil {
				return 0, err
			}
		}
		_, err = r.insert(ctx, tx, r.actor, *id, last, d)
		return created, err
	case err != nil:
		return 0, err
	case changed:
		return updated, nil
	default:
		return unchanged, nil
	}
}

var errIDTaken = problem.Invalid(problem.RuleViolated,
	problem.Fault{Pointer: "#/id", Detail: "is not an id that this account can use"})

// checkDeleted refuses the id of a deleted item that a token's filter hid, or whose last document the log no longer
// has: the new item's revision would tell of it.
func (r *importRun) checkDeleted(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	sight, err := r.sights.of(ctx, r.actor)
	if err != nil || sight.isWhole() {
		return err
	}
	last, err := change.History(ctx, tx, sight.account, sight.role, id, 0, 1)
	if err != nil {
		return err
	}
	if len(last) == 0 || !sight.shows(last[0].Document) {
		return errIDTaken
	}
	return nil
}

// withLineFaults adds the faults against the account's rules to invalid, which has a line's faults against the
// contract, so that a person corrects the line once. A line that cannot be decoded has only the latter. The transaction
// does not change.
func (r *importRun) withLineFaults(
	ctx context.Context, tx pgx.Tx, line *documentLine, invalid *problem.Error,
) error {
	var input *ItemInput
	if invalid.Code != problem.InvalidInput || json.Unmarshal(line.input, &input) != nil || input == nil {
		return invalid
	}
	if _, err := decodeObject(input.Metadata); err != nil {
		return invalid
	}
	var placed placement
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		q, i := store.New(tx), &Item{}
		if placed, err = r.place(ctx, q, input.Metadata, line.restored); err != nil {
			return err
		}
		input.Metadata = placed.metadata
		if line.id != nil {
			held, err := r.lock(ctx, q, r.actor, *line.id, nil)
			switch {
			case err == nil:
				i = held.Item
			case !problem.Is(err, problem.NotFound):
				return err
			}
		}
		d := keepingMetadata(*input)
		d.restored, d.imported = line.restored, true
		if _, err := r.apply(ctx, q, r.actor, i, d); err != nil {
			return err
		}
		return invalid // rolls the savepoint back
	})
	if rules := problem.Of(placed.renamed(err)); rules != nil {
		return join(invalid, rules)
	}
	return err
}

// serverFields are the fields of a document that an input does not have.
var serverFields = []string{"url", "workflow", "created_by", "created_at", "updated_at", "published_at", "revision"}

// restoredFields are those of them that an import may keep; see restored.
var restoredFields = []string{"created_at", "updated_at", "published_at", "revision"}

// documentLine is a line, split into an item input and the fields of an exported document that an input does not have.
type documentLine struct {
	id       *uuid.UUID
	input    []byte
	restored *restored
	badID    *problem.Error // reported apart, so that the rest is checked as well
	badTimes *problem.Error // likewise
}

// splitDocument splits a line. Text that is not an object is returned as it is; the check of the input refuses it.
func splitDocument(text []byte) documentLine {
	line := documentLine{input: text}
	if strictjson.Check(text, strictjson.Limits{}) != nil { // decoding would lose names that occur twice
		return line
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return line
	}
	line.restored, line.badTimes = readRestored(members)
	rawID, isDocument := members["id"]
	if _, given := members["workflow_profile_id"]; !given && members["workflow"] != nil {
		// Without its profile, the item would become visible to roles from which it was hidden.
		members["workflow_profile_id"] = profileOf(members["workflow"])
	}
	for _, name := range serverFields {
		if _, ok := members[name]; ok {
			isDocument = true
			delete(members, name)
		}
	}
	if !isDocument {
		return line
	}
	delete(members, "id")
	if rawID != nil && (json.Unmarshal(rawID, &line.id) != nil || line.id == nil || *line.id == uuid.Nil) {
		line.id = nil
		line.badID = problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/id", Detail: "must be a UUID"})
	}
	line.input, _ = plainjson.Marshal(members) // decoded just now, so it can be encoded
	return line
}

// profileOf returns the profile of a document's workflow; null if it has none.
func profileOf(workflow json.RawMessage) json.RawMessage {
	var w struct {
		ProfileID json.RawMessage `json:"profile_id"`
	}
	if json.Unmarshal(workflow, &w) != nil || w.ProfileID == nil {
		return json.RawMessage("null")
	}
	return w.ProfileID
}
