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
	"itemcast/internal/upload/ticket"
	"itemcast/internal/workflow/internal/store"
)

// Secret is one of the two secrets of a profile.
type Secret string

// The secrets of a profile: its tasks are signed with one, and others sign tickets for uploads with the other.
const (
	TasksSecret   Secret = "tasks"
	UploadsSecret Secret = "uploads"
)

func (s Secret) generate() string {
	if s == UploadsSecret {
		return ticket.NewSecret()
	}
	return standardwebhooks.NewSecret().Text()
}

// RotateSecret gives a profile a new secret and returns it. The old one stays valid until a day later, unless it is
// revoked, or there was none: then until is nil. Tasks are signed with both meanwhile. Needs workflows.manage. Error:
// NOT_FOUND.
func (s *Service) RotateSecret(ctx context.Context, id uuid.UUID, which Secret, revoke bool) (
	secret string, until *time.Time, err error) {
	if _, err := account.Authorize(ctx, account.WorkflowsManage); err != nil {
		return "", nil, err
	}
	secret = which.generate()
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, _ *store.Queries, actor account.Actor) error {
		rotated, err := s.storeSecret(ctx, tx, actor, id, which, secret, hook.OldSecretLifetime(revoke))
		if err != nil {
			return err
		}
		until = rotated
		return account.Audit(ctx, tx, secretRotated, subject(id), map[string]any{"secret": which, "revoked": revoke})
	})
	if err != nil {
		return "", nil, err
	}
	return secret, until, nil
}

// storeSecret stores a secret. The hooks of the profile's tasks get that of tasks.
func (s *Service) storeSecret(ctx context.Context, tx pgx.Tx, actor account.Actor, id uuid.UUID, which Secret,
	secret string, keepOld time.Duration) (until *time.Time, err error) {
	q := store.New(tx)
	if which == UploadsSecret {
		until, err = q.RotateUploadSecret(ctx, store.RotateUploadSecretParams{AccountID: actor.AccountID, ID: id,
			Secret: &secret, KeepFor: keepOld.Seconds()})
	} else {
		until, err = q.RotateWorkflowSecret(ctx, store.RotateWorkflowSecretParams{AccountID: actor.AccountID, ID: id,
			Secret: &secret, KeepFor: keepOld.Seconds()})
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, errNoProfile
	case err != nil:
		return nil, fmt.Errorf("rotate the secret of a workflow profile: %w", err)
	case which == UploadsSecret:
		return utc(until), nil
	}
	profile, err := lock(ctx, q, actor, id, nil)
	if err != nil {
		return nil, err
	}
	return utc(until), s.syncHooks(ctx, tx, actor.AccountID, profile)
}
