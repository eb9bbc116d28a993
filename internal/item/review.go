package item

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/jsonobject"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// withRules adds to what the contract finds wrong with an input, or with a patch of the item with that id, what the account's rules do, as
// far as the rest of it can be read: one answer tells of every fault. An error that names no faults comes back as it is. Error besides:
// NOT_FOUND.
func (s *Service) withRules(ctx context.Context, actor account.Actor, id *uuid.UUID, raw []byte, read reader, err error) error {
	invalid := problem.Of(err)
	if invalid == nil || invalid.Code != problem.InvalidInput || len(invalid.Faults) == 0 {
		return err
	}
	q := store.New(db.Read(ctx, s.pool))
	i := &Item{}
	if id != nil {
		if _, err := s.Get(ctx, *id); err != nil { // it may be hidden
			return err
		}
		if i, err = s.load(ctx, q, actor.AccountID, *id); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(invalid.Faults, func(f problem.Fault) bool { return f.Pointer == "#" }) { // it is no object
		return invalid
	}
	d, unreadable := read(i, sound(raw, invalid.Faults))
	if unreadable != nil {
		return invalid
	}
	return together(invalid, problem.Of(s.applyDraft(ctx, q, actor, i, d)))
}

// reader makes a draft of JSON that need not fit the contract.
type reader func(i *Item, raw []byte) (draft, error)

func readInput(_ *Item, raw []byte) (draft, error) {
	input, err := decodeInput(raw)
	return draft{ItemInput: input}, err
}

func readPatch(i *Item, patch []byte) (draft, error) { return patched(i, patch, decodeInput) }

func decodeInput(raw []byte) (input ItemInput, err error) {
	err = json.Unmarshal(raw, &input)
	return input, err
}

// sound takes the members off an input that have faults, and those that are judged by them.
func sound(input []byte, faults []problem.Fault) []byte {
	if slices.ContainsFunc(faults, func(f problem.Fault) bool { return isWithin(f.Pointer, "#/snapshots") }) {
		faults = append(slices.Clone(faults), problem.Fault{Pointer: "#/snapshot_id"})
	}
	return soundBelow(nil, input, faults)
}

// soundBelow takes the members with faults off the object at a path; an array goes as a whole.
func soundBelow(path []string, object []byte, faults []problem.Fault) []byte {
	all, err := jsonobject.Members(object)
	if err != nil {
		return object
	}
	for n := range all {
		at := append(slices.Clone(path), all[n].Name)
		place := strictjson.Pointer(at...)
		for _, f := range faults {
			switch {
			case !isWithin(f.Pointer, place) || all[n].Value == nil:
			case f.Pointer == place || all[n].Value[0] != '{':
				all[n].Value = nil
			default:
				all[n].Value = soundBelow(at, all[n].Value, faults)
			}
		}
	}
	kept, err := jsonobject.Encode(all)
	if err != nil {
		return object
	}
	return kept
}

// isWithin reports whether a JSON pointer leads to a place or below it.
func isWithin(pointer, place string) bool {
	return pointer == place || strings.HasPrefix(pointer, place+"/")
}
