package item

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// What became of a line that was taken.
const (
	outcomeCreated = iota
	outcomeUpdated
	outcomeUnchanged
)

// importLine does what one line says, in a savepoint of its own, so that a rejected line leaves no trace.
func (s *Service) importLine(ctx context.Context, tx pgx.Tx, actor account.Actor, text []byte, createFields bool) (outcome int, err error) {
	if text == nil {
		return 0, problem.New(problem.TooLarge, "The line is longer than 1 MiB.")
	}
	id, raw, badID := stripReadOnly(text)
	input, err := s.checked(raw)
	if err != nil || badID != nil {
		return 0, s.allFaults(ctx, tx, actor, id, raw, createFields, together(badID, problem.Of(err)))
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		if createFields {
			if err := s.createMissingFields(ctx, store.New(tx), actor, input.Metadata); err != nil {
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
		_, err := s.create(ctx, tx, actor, uuid.Must(uuid.NewV7()), 0, input)
		return outcomeCreated, err
	}
	_, changed, err := s.editIn(ctx, tx, actor, *id, nil, func(*Item) (ItemInput, error) { return input, nil })
	switch {
	case problem.Is(err, problem.NotFound):
		taken, err := store.New(tx).ItemTaken(ctx, *id)
		if err != nil {
			return 0, fmt.Errorf("look up id: %w", err)
		}
		if taken {
			return 0, problem.Invalid(problem.RuleViolated, problem.Fault{Pointer: "#/id", Detail: "is not an id that this account can use"})
		}
		last, err := change.LastRevision(ctx, tx, actor.AccountID, *id)
		if err != nil {
			return 0, err
		}
		_, err = s.create(ctx, tx, actor, *id, last, input)
		return outcomeCreated, err
	case err != nil:
		return 0, err
	case changed:
		return outcomeUpdated, nil
	default:
		return outcomeUnchanged, nil
	}
}

// allFaults adds to what the contract forbids of a line what the account's rules forbid, so that a person mends the line once. One that
// cannot be decoded has only the former. Nothing is kept of what is done to find out.
func (s *Service) allFaults(ctx context.Context, tx pgx.Tx, actor account.Actor, id *uuid.UUID, raw []byte, createFields bool, flaws *problem.Error) error {
	var input *ItemInput
	if flaws.Code != problem.InvalidInput || json.Unmarshal(raw, &input) != nil || input == nil {
		return flaws
	}
	if _, err := decodeObject(input.Metadata); err != nil {
		return flaws
	}
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		q, i := store.New(tx), &Item{}
		if createFields {
			if err := s.createMissingFields(ctx, q, actor, input.Metadata); err != nil {
				return err
			}
		}
		if id != nil {
			found, _, _, err := s.lock(ctx, q, actor, *id, nil)
			switch {
			case err == nil:
				i = found
			case !problem.Is(err, problem.NotFound):
				return err
			}
		}
		if err := s.apply(ctx, q, actor, i, *input); err != nil {
			return err
		}
		return flaws
	})
	if rules := problem.Of(err); rules != nil {
		return together(flaws, rules)
	}
	return err
}

// together is one problem of two, either of which may be none. A place at which, or within which, the first has a fault is passed over in
// the second: a name that is too short is blank besides.
func together(first, second *problem.Error) *problem.Error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	both, faults := *first, slices.Clone(first.Faults)
	for _, f := range second.Faults {
		told := func(of problem.Fault) bool {
			return of.Pointer == f.Pointer || strings.HasPrefix(of.Pointer, f.Pointer+"/")
		}
		if !slices.ContainsFunc(first.Faults, told) {
			faults.Add(f)
		}
	}
	both.Faults = faults
	return &both
}

// readOnly are the fields of a document that an input does not have.
var readOnly = []string{"url", "workflow", "created_by", "created_at", "updated_at", "published_at", "revision"}

// profileOf is the profile of a document's workflow; null when it has none.
func profileOf(workflow json.RawMessage) json.RawMessage {
	var of struct {
		ProfileID json.RawMessage `json:"profile_id"`
	}
	if json.Unmarshal(workflow, &of) != nil || of.ProfileID == nil {
		return json.RawMessage("null")
	}
	return of.ProfileID
}

// stripReadOnly takes the id and what only the server sets off an exported document. Text that is no object is left to the check of the
// input. A bad id is a problem for itself: the rest is to be checked all the same.
func stripReadOnly(text []byte) (id *uuid.UUID, input []byte, badID *problem.Error) {
	if strictjson.Check(text, strictjson.Limits{}) != nil { // before a name that comes twice is lost
		return nil, text, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, text, nil
	}
	rawID, isDocument := members["id"]
	if _, given := members["workflow_profile_id"]; !given && members["workflow"] != nil {
		members["workflow_profile_id"] = profileOf(members["workflow"]) // or it would be there for those from whom it was hidden
	}
	for _, name := range readOnly {
		if _, ok := members[name]; ok {
			isDocument = true
			delete(members, name)
		}
	}
	if !isDocument {
		return nil, text, nil
	}
	delete(members, "id")
	if rawID != nil && (json.Unmarshal(rawID, &id) != nil || id == nil || *id == uuid.Nil) {
		id, badID = nil, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/id", Detail: "must be a UUID"})
	}
	input, _ = json.Marshal(members) // what was just read can be written
	return id, input, badID
}
