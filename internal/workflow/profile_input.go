package workflow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// The limits of the contract. GraphQL does not check them.
const (
	maxName        = 100  // characters
	maxDescription = 2000 // characters
	maxRoles       = 100
)

// ProfileInput holds the fields of a new profile.
type ProfileInput struct {
	Name        string
	Description string
	RoleIDs     []uuid.UUID // empty: all roles
}

// ProfilePatch is a merge patch that mergepatch.Read has decoded: nil leaves a field as it is.
type ProfilePatch struct {
	Name        *string      `json:"name"`
	Description *string      `json:"description"`
	RoleIDs     *[]uuid.UUID `json:"role_ids"`
}

// applied returns a profile's input with the patch applied.
func (p ProfilePatch) applied(profile Profile) ProfileInput {
	in := ProfileInput{Name: profile.Name, Description: profile.Description, RoleIDs: profile.RoleIDs}
	if p.Name != nil {
		in.Name = plaintext.Composed(strings.TrimSpace(*p.Name))
	}
	if p.Description != nil {
		in.Description = plaintext.Composed(*p.Description)
	}
	if p.RoleIDs != nil {
		in.RoleIDs = unique(*p.RoleIDs)
	}
	return in
}

func (in ProfileInput) normalized() ProfileInput {
	in.Name, in.Description = plaintext.Composed(strings.TrimSpace(in.Name)), plaintext.Composed(in.Description)
	in.RoleIDs = unique(in.RoleIDs)
	return in
}

// check returns INVALID_INPUT with every fault. before is the profile's present name, which is not checked again; ""
// for a new profile.
func (in ProfileInput) check(before string) error {
	var faults problem.Faults
	if before == "" || in.Name != before {
		faults.At("#/name", validate.Name(in.Name, 1, maxName))
	}
	faults.At("#/description", validate.Text(in.Description, 0, maxDescription))
	if len(in.RoleIDs) > maxRoles {
		faults.At("#/role_ids", fmt.Sprintf("must have at most %d entries", maxRoles))
	}
	return faults.Err(problem.InvalidInput)
}

// checkRoles returns RULE_VIOLATED when the account lacks one of the roles. It locks the others against deletion
// until the transaction ends.
func checkRoles(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	unknown, err := account.UnknownRoles(ctx, tx, accountID, ids)
	if err != nil {
		return err
	}
	var faults problem.Faults
	for i, id := range ids {
		if slices.Contains(unknown, id) {
			faults.At(fmt.Sprintf("#/role_ids/%d", i), "is no role of this account")
		}
	}
	return faults.Err(problem.RuleViolated)
}

// unique returns the ids in their order, each once.
func unique(ids []uuid.UUID) []uuid.UUID {
	seen, out := map[uuid.UUID]bool{}, []uuid.UUID{}
	for _, id := range ids {
		if !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	return out
}
