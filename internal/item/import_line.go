package item

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
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

// importLine imports a line in a savepoint, so that a rejected line leaves no trace.
func (s *Service) importLine(
	ctx context.Context, tx pgx.Tx, actor account.Actor, text []byte, createFields bool,
) (result outcome, err error) {
	if text == nil {
		return 0, problem.New(problem.TooLarge, "The line is longer than 1 MiB. Shorten the item.")
	}
	id, raw, badID := splitDocument(text)
	input, err := s.decodeChecked(raw)
	if err != nil || badID != nil {
		invalid := join(badID, problem.Of(err))
		return 0, s.withLineFaults(ctx, tx, actor, id, raw, createFields, invalid)
	}
	err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) {
		if createFields {
			if err := s.createMissingFields(ctx, store.New(tx), actor, input.Metadata); err != nil {
				return err
			}
		}
		result, err = s.importItem(ctx, tx, actor, id, input)
		return err
	})
	return result, err
}

func (s *Service) importItem(
	ctx context.Context, tx pgx.Tx, actor account.Actor, id *uuid.UUID, input ItemInput,
) (outcome, error) {
	if id == nil {
		_, err := s.insert(ctx, tx, actor, uuid.Must(uuid.NewV7()), 0, input)
		return created, err
	}
	// An export can be imported again even if a metadata field has changed since.
	replace := func(*Item) (draft, error) { return keepingMetadata(input), nil }
	_, changed, err := s.revise(ctx, tx, actor, *id, nil, replace)
	switch {
	case problem.Is(err, problem.NotFound):
		taken, err := store.New(tx).ItemTaken(ctx, *id)
		if err != nil {
			return 0, fmt.Errorf("look up id: %w", err)
		}
		if taken {
			return 0, problem.Invalid(problem.RuleViolated,
				problem.Fault{Pointer: "#/id", Detail: "is not an id that this account can use"})
		}
		last, err := change.LastRevision(ctx, tx, actor.AccountID, *id)
		if err != nil {
			return 0, err
		}
		_, err = s.insert(ctx, tx, actor, *id, last, input)
		return created, err
	case err != nil:
		return 0, err
	case changed:
		return updated, nil
	default:
		return unchanged, nil
	}
}

// withLineFaults adds the faults against the account's rules to invalid, which has a line's faults against the
// contract, so that a person corrects the line once. A line that cannot be decoded has only the latter. The transaction
// does not change.
func (s *Service) withLineFaults(
	ctx context.Context, tx pgx.Tx, actor account.Actor, id *uuid.UUID, raw []byte, createFields bool,
	invalid *problem.Error,
) error {
	var input *ItemInput
	if invalid.Code != problem.InvalidInput || json.Unmarshal(raw, &input) != nil || input == nil {
		return invalid
	}
	if _, err := decodeObject(input.Metadata); err != nil {
		return invalid
	}
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		q, i := store.New(tx), &Item{}
		if createFields {
			if err := s.createMissingFields(ctx, q, actor, input.Metadata); err != nil {
				return err
			}
		}
		if id != nil {
			held, err := s.lock(ctx, q, actor, *id, nil)
			switch {
			case err == nil:
				i = held.Item
			case !problem.Is(err, problem.NotFound):
				return err
			}
		}
		if err := s.apply(ctx, q, actor, i, keepingMetadata(*input)); err != nil {
			return err
		}
		return invalid // rolls the savepoint back
	})
	if rules := problem.Of(err); rules != nil {
		return join(invalid, rules)
	}
	return err
}

// serverFields are the fields of a document that an input does not have.
var serverFields = []string{"url", "workflow", "created_by", "created_at", "updated_at", "published_at", "revision"}

// splitDocument takes the id and the fields that only the server sets from an exported document. Text that is not an
// object is returned as it is; the check of the input refuses it. A bad id is reported apart, so that the rest is
// checked as well.
func splitDocument(text []byte) (id *uuid.UUID, input []byte, badID *problem.Error) {
	if strictjson.Check(text, strictjson.Limits{}) != nil { // decoding would lose names that occur twice
		return nil, text, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, text, nil
	}
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
		return nil, text, nil
	}
	delete(members, "id")
	if rawID != nil && (json.Unmarshal(rawID, &id) != nil || id == nil || *id == uuid.Nil) {
		id, badID = nil, problem.Invalid(problem.InvalidInput, problem.Fault{Pointer: "#/id", Detail: "must be a UUID"})
	}
	input, _ = plainjson.Marshal(members) // decoded just now, so it can be encoded
	return id, input, badID
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
