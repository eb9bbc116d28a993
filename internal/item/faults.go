package item

import (
	"context"
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

// withRuleFaults adds the faults against the account's rules to err, which has the faults against the contract. So one
// response has every fault, as far as the rest of the input can be decoded. With an id, raw is an input or a patch for
// that item. An error without faults is returned as it is. Other error: NOT_FOUND.
func (s *Service) withRuleFaults(
	ctx context.Context, actor account.Actor, id *uuid.UUID, raw []byte, decode decoder, err error,
) error {
	invalid := problem.Of(err)
	if invalid == nil || invalid.Code != problem.InvalidInput || len(invalid.Faults) == 0 {
		return err
	}
	q := store.New(db.Read(ctx, s.pool))
	i := &Item{}
	if id != nil {
		// The item may be hidden. To see its faults, items.edit is enough, as for the write.
		sight, err := s.sights.of(ctx, actor)
		if err != nil {
			return err
		}
		if _, err := s.document(ctx, sight, *id); err != nil {
			return err
		}
		if i, err = s.load(ctx, q, actor.AccountID, *id); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(invalid.Faults, func(f problem.Fault) bool { return f.Pointer == "#" }) { // not an object
		return invalid
	}
	d, undecodable := decode(i, withoutFaulty(raw, invalid.Faults))
	if undecodable != nil {
		return invalid
	}
	_, err = s.apply(ctx, q, actor, i, d)
	return join(invalid, problem.Of(err))
}

// decoder decodes a draft from JSON that may violate the contract.
type decoder func(i *Item, raw []byte) (draft, error)

func replacement(_ *Item, raw []byte) (draft, error) {
	input, err := decodeInput(raw)
	return draft{ItemInput: input}, err
}

func uncheckedPatch(i *Item, patch []byte) (draft, error) { return applyPatch(i, patch, decodeInput) }

// withoutFaulty removes the members with faults from an input, and the members whose rules depend on them.
func withoutFaulty(input []byte, faults []problem.Fault) []byte {
	if slices.ContainsFunc(faults, func(f problem.Fault) bool { return isWithin(f.Pointer, "#/snapshots") }) {
		faults = append(slices.Clone(faults), problem.Fault{Pointer: "#/snapshot_id"})
	}
	return withoutFaultyBelow(nil, input, faults)
}

// withoutFaultyBelow removes the members with faults from the object at a path. An array is removed as a whole.
func withoutFaultyBelow(path []string, object []byte, faults []problem.Fault) []byte {
	members, err := jsonobject.Members(object)
	if err != nil {
		return object
	}
	for n := range members {
		m := &members[n]
		at := append(slices.Clone(path), m.Name)
		pointer := strictjson.Pointer(at...)
		for _, f := range faults {
			switch {
			case !isWithin(f.Pointer, pointer) || m.Value == nil:
			case f.Pointer == pointer || m.Value[0] != '{':
				m.Value = nil
			default:
				m.Value = withoutFaultyBelow(at, m.Value, faults)
			}
		}
	}
	rest, err := jsonobject.Encode(members)
	if err != nil {
		return object
	}
	return rest
}

// isWithin reports whether a JSON pointer leads to a place or below it.
func isWithin(pointer, place string) bool {
	return pointer == place || strings.HasPrefix(pointer, place+"/")
}

// join joins two problems, either of which may be nil. It drops a fault of the second if the first has one at the same
// place or within it: a name that is too short is also blank.
func join(first, second *problem.Error) *problem.Error {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	faults := slices.Clone(first.Faults)
	for _, f := range second.Faults {
		if !slices.ContainsFunc(first.Faults, func(of problem.Fault) bool { return isWithin(of.Pointer, f.Pointer) }) {
			faults.Add(f)
		}
	}
	return problem.Invalid(first.Code, faults...)
}
