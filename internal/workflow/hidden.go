package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/db"
	"itemcast/internal/workflow/internal/store"
)

// Hidden are the profiles whose items do not exist for a role. It tells of documents, as they are or were, what the statements that read items
// tell of rows: the profiles come from the same function.
type Hidden []uuid.UUID

// HiddenFrom asks which profiles are hidden from a role of an account, nil for the operator's. Who asks after having read changes of items
// knows of every profile that those name.
func HiddenFrom(ctx context.Context, tx db.Querier, account uuid.UUID, role *uuid.UUID) (Hidden, error) {
	ids, err := store.New(tx).HiddenProfiles(ctx, store.HiddenProfilesParams{AccountID: account, RoleID: role})
	if err != nil {
		return nil, fmt.Errorf("read hidden profiles: %w", err)
	}
	return ids, nil
}

// Names reports whether an item's document may name a profile. Most do not, and need no look.
func Names(document []byte) bool { return bytes.Contains(document, []byte(`"workflow":{`)) }

// Hides reports whether an item of a document does not exist.
func (h Hidden) Hides(document []byte) (bool, error) {
	if len(h) == 0 || !Names(document) {
		return false, nil
	}
	var item struct {
		Workflow *struct {
			ProfileID uuid.UUID `json:"profile_id"`
		} `json:"workflow"`
	}
	if err := json.Unmarshal(document, &item); err != nil {
		return false, fmt.Errorf("read an item's profile: %w", err)
	}
	return item.Workflow != nil && slices.Contains(h, item.Workflow.ProfileID), nil
}
