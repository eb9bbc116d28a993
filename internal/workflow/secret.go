package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/hook"
	"itemcast/internal/standardwebhooks"
	"itemcast/internal/workflow/internal/store"
)

// RotateSecret gives a profile a new secret for its tasks and returns it. Requests are also signed with the old one
// until a day later, unless it is revoked, or there was none: then until is nil. Needs workflows.manage. Error:
// NOT_FOUND.
func (s *Service) RotateSecret(ctx context.Context, id uuid.UUID, revoke bool) (
	secret string, until *time.Time, err error) {
	if _, err := account.Authorize(ctx, account.WorkflowsManage); err != nil {
		return "", nil, err
	}
	secret = standardwebhooks.NewSecret().Text()
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		rotated, err := q.RotateWorkflowSecret(ctx, store.RotateWorkflowSecretParams{AccountID: actor.AccountID, ID: id,
			Secret: &secret, KeepFor: hook.OldSecretLifetime(revoke).Seconds()})
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoProfile
		}
		if err != nil {
			return fmt.Errorf("rotate the secret of a workflow profile: %w", err)
		}
		until = utc(rotated)
		profile, err := lock(ctx, q, actor, id, nil)
		if err != nil {
			return err
		}
		if err := s.syncHooks(ctx, tx, actor.AccountID, profile); err != nil {
			return err
		}
		return account.Audit(ctx, tx, secretRotated, subject(id), map[string]any{"secret": "tasks", "revoked": revoke})
	})
	if err != nil {
		return "", nil, err
	}
	return secret, until, nil
}
