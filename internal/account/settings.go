package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/mergepatch"
	"itemcast/internal/optional"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/validate"
)

const maxAccountName = 100 // characters

// Settings are the settings of an account.
type Settings struct {
	Name                     string
	DefaultWorkflowProfileID *uuid.UUID // see Actor.DefaultProfiles
	CreatedAt                time.Time
	UpdatedAt                time.Time
	Revision                 int64
}

// SettingsPatch is a merge patch that mergepatch.Read has decoded.
type SettingsPatch struct {
	Name                     *string                        `json:"name"`
	DefaultWorkflowProfileID mergepatch.Nullable[uuid.UUID] `json:"default_workflow_profile_id"`
}

// Settings returns the settings of the actor's account. Everybody with api.access may read them: a client that creates
// items needs to know what it gets by default.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	actor, err := Authorize(ctx)
	if err != nil {
		return Settings{}, err
	}
	return readSettings(ctx, store.New(db.Read(ctx, s.pool)), actor)
}

func readSettings(ctx context.Context, q *store.Queries, actor Actor) (Settings, error) {
	row, err := q.GetAccount(ctx, actor.AccountID)
	if err != nil {
		return Settings{}, fmt.Errorf("read account: %w", err)
	}
	return toSettings(row), nil
}

func toSettings(row store.GetAccountRow) Settings {
	settings := Settings(row)
	settings.CreatedAt, settings.UpdatedAt = row.CreatedAt.UTC(), row.UpdatedAt.UTC()
	return settings
}

// PatchSettings changes the settings. A patch that alters nothing writes nothing. Needs users.manage. Errors:
// REVISION_MISMATCH; INVALID_INPUT; RULE_VIOLATED for a default that is no workflow profile which the actor sees.
func (s *Service) PatchSettings(ctx context.Context, patch SettingsPatch, condition revision.Condition) (
	settings Settings, err error) {
	actor, err := Authorize(ctx, UsersManage)
	if err != nil {
		return Settings{}, err
	}
	err = s.change(ctx, actor, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error {
		before, err := readSettings(ctx, q, actor)
		if err != nil {
			return err
		}
		if err := condition.Check(before.Revision); err != nil {
			return err
		}
		if settings, err = patch.apply(ctx, q, actor, before); err != nil {
			return err
		}
		changed := changes{}
		changed.add("name", before.Name, settings.Name)
		changed.addID(defaultProfileField, before.DefaultWorkflowProfileID, settings.DefaultWorkflowProfileID)
		if len(changed) == 0 {
			return nil
		}
		row, err := q.UpdateAccount(ctx, store.UpdateAccountParams{AccountID: actor.AccountID, Name: settings.Name,
			DefaultWorkflowProfileID: settings.DefaultWorkflowProfileID})
		if err != nil {
			return fmt.Errorf("update account: %w", err)
		}
		settings = toSettings(store.GetAccountRow(row))
		if _, other := changed[defaultProfileField]; other {
			db.AfterCommit(ctx, func() { s.forget(uuid.Nil) })
		}
		return Audit(ctx, tx, accountUpdated, accountPath, changed)
	})
	return settings, err
}

// apply returns the settings with the patch applied, after every check.
func (p SettingsPatch) apply(ctx context.Context, q *store.Queries, actor Actor, settings Settings) (Settings, error) {
	if p.Name != nil {
		settings.Name = plaintext.Composed(strings.TrimSpace(*p.Name))
		var invalid problem.Faults
		invalid.At("#/name", validate.Name(settings.Name, 1, maxAccountName))
		if err := invalid.Err(problem.InvalidInput); err != nil {
			return settings, err
		}
	}
	profile := p.DefaultWorkflowProfileID
	if !profile.Named || optional.Equal(profile.Value, settings.DefaultWorkflowProfileID) {
		return settings, nil // the present default is not checked again
	}
	settings.DefaultWorkflowProfileID = profile.Value
	fault, err := defaultProfileFault(ctx, q, actor, profile.Value, nil)
	if err != nil {
		return settings, err
	}
	var broken problem.Faults
	broken.At("#/"+defaultProfileField, fault)
	return settings, broken.Err(problem.RuleViolated)
}
