package account

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
)

// HiddenProfiles are the workflow profiles whose items a role must not see. It applies to documents the rule that the
// function hidden_profiles (sql/migrations) applies to rows.
type HiddenProfiles []uuid.UUID

// HiddenFrom reads the profiles that are hidden from a role of an account. Nothing is hidden from a nil role, the
// operator's. To filter documents, read the documents first: the result then covers every profile that they name.
func HiddenFrom(ctx context.Context, tx db.Querier, accountID uuid.UUID, role *uuid.UUID) (HiddenProfiles, error) {
	ids, err := store.New(tx).HiddenProfiles(ctx, store.HiddenProfilesParams{AccountID: accountID, RoleID: role})
	if err != nil {
		return nil, fmt.Errorf("read hidden profiles: %w", err)
	}
	return ids, nil
}

// MayHaveProfile reports whether an item's document may name a workflow profile. If not, HiddenFrom is not needed. It
// is true without need for a document whose client_data has an object named workflow.
func MayHaveProfile(document []byte) bool { return bytes.Contains(document, []byte(`"workflow":{`)) }

// Hides reports whether the item of a document is hidden. Error: when the document is not an item's.
func (h HiddenProfiles) Hides(document []byte) (bool, error) {
	if len(h) == 0 || !MayHaveProfile(document) {
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
