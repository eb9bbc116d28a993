package upload

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/jsonobject"
	"itemcast/internal/problem"
)

// metaInput is the name of the metadata with the fields of a user's new item: the JSON of an item input.
const metaInput = "item"

// itemInput returns the item input of a user's file: that of the metadata, with the name of the file if it has none.
func itemInput(metadata map[string]string) (json.RawMessage, error) {
	var members []jsonobject.Member
	if given := metadata[metaInput]; given != "" {
		var err error
		if members, err = jsonobject.Members(json.RawMessage(given)); err != nil {
			return nil, wrongMetadata("must have a JSON object as item, such as {\"name\": \"Metropolis\"}")
		}
	}
	if !slices.ContainsFunc(members, func(m jsonobject.Member) bool { return m.Name == "name" }) {
		name, err := json.Marshal(nameIn(metadata))
		if err != nil {
			return nil, err
		}
		members = append(members, jsonobject.Member{Name: "name", Value: name})
	}
	return jsonobject.Encode(members)
}

// errTried ends the transaction of tryItem.
var errTried = errors.New("the item can be made")

// tryItem makes the item that the metadata describes and takes it back, so that what is wrong with it is said before a
// byte of the file has come. Errors: those of item.Service.Create, with pointers below #/item.
func (c *creation) tryItem(ctx context.Context) error {
	if c.Metadata[metaItem] != "" {
		return wrongMetadata("has item_id, the item that gets the file, and item, the fields of a new one: leave one out")
	}
	input, err := itemInput(c.Metadata)
	if err != nil {
		return err
	}
	err = db.Write(ctx, c.s.Pool, func(ctx context.Context, _ pgx.Tx) error {
		if _, err := c.s.Items.Create(ctx, input); err != nil {
			return err
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		return nil
	}
	return belowItem(err, "The item of the metadata is wrong. ")
}

// newProfile returns the workflow profile that a new item gets; nil: none. Of an item that exists, the quotas count
// when the file is added.
func newProfile(actor account.Actor, metadata map[string]string) *uuid.UUID {
	if metadata[metaItem] != "" {
		return nil
	}
	var input map[string]json.RawMessage
	if json.Unmarshal([]byte(metadata[metaInput]), &input) == nil { // else there is none, or tryItem refuses it
		if raw, given := input["workflow_profile_id"]; given {
			var id *uuid.UUID
			_ = json.Unmarshal(raw, &id)
			return id
		}
	}
	return cmp.Or(actor.DefaultProfile, actor.AccountProfile)
}

func wrongMetadata(detail string) error {
	return problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "Upload-Metadata", Detail: detail})
}
