package workflow

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/plaintext"
	"itemcast/internal/validate"
	"itemcast/internal/workflow/internal/store"
)

// CopyProfile creates a profile with everything of another but its name and its secrets. Rules that the other breaks by
// now are not checked again. Needs workflows.manage. Errors: NOT_FOUND; INVALID_INPUT; CONFLICT when the name is taken.
func (s *Service) CopyProfile(ctx context.Context, id uuid.UUID, name string) (Profile, error) {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Profile{}, err
	}
	name = plaintext.Composed(strings.TrimSpace(name))
	var f findings
	f.contract("#/name", validate.Name(name, 1, maxName))
	var profile Profile
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		original, err := lock(ctx, q, actor, id, nil) // so that its roles stay
		if err != nil {
			return err
		}
		if err := f.err(); err != nil {
			return err
		}
		made, err := s.insert(ctx, tx, actor, ProfileInput{Name: name, Description: original.Description,
			RoleIDs: original.RoleIDs, Actions: original.definition.Actions, Tasks: original.definition.Tasks,
			Uploads: original.Uploads})
		if err != nil {
			return err
		}
		profile = made.shownTo(actor)
		return auditCreated(ctx, tx, made, &id)
	})
	return profile, err
}
