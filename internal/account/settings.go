package account

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/mergepatch"
	"itemcast/internal/optional"
	"itemcast/internal/origin"
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
	FrameAncestors           []string   // the sites that may show items in a frame, as a policy has them (origin.Sites)
	Quotas                   Quotas
	CreatedAt                time.Time
	UpdatedAt                time.Time
	Revision                 int64
}

// Quotas limit what an account may hold and do. nil: no limit.
type Quotas struct {
	Bytes        *int64 `json:"bytes"`         // of the files of all items, and of uploads under way
	Minutes      *int64 `json:"minutes"`       // of the videos and sounds of all items
	ParallelJobs *int32 `json:"parallel_jobs"` // items processed at once
}

// The largest quotas: integers that every JSON client holds exactly, some 1,900 years, and more than any installation
// has machines for.
const (
	maxQuotaBytes   = 1<<53 - 1
	maxQuotaMinutes = 1_000_000_000
	maxParallelJobs = 1000
)

// SettingsPatch is a merge patch that mergepatch.Read has decoded.
type SettingsPatch struct {
	Name                     *string                        `json:"name"`
	DefaultWorkflowProfileID mergepatch.Nullable[uuid.UUID] `json:"default_workflow_profile_id"`
	FrameAncestors           *[]string                      `json:"frame_ancestors"`
	Quotas                   json.RawMessage                `json:"quotas"`
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
	return Settings{Name: row.Name, DefaultWorkflowProfileID: row.DefaultWorkflowProfileID,
		FrameAncestors: row.FrameAncestors,
		Quotas:         Quotas{Bytes: row.QuotaBytes, Minutes: row.QuotaMinutes, ParallelJobs: row.QuotaParallelJobs},
		CreatedAt:      row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(), Revision: row.Revision}
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
		if !slices.Equal(before.FrameAncestors, settings.FrameAncestors) {
			changed["frame_ancestors"] = [2]any{before.FrameAncestors, settings.FrameAncestors}
		}
		addQuota(changed, "quotas.bytes", before.Quotas.Bytes, settings.Quotas.Bytes)
		addQuota(changed, "quotas.minutes", before.Quotas.Minutes, settings.Quotas.Minutes)
		addQuota(changed, "quotas.parallel_jobs", before.Quotas.ParallelJobs, settings.Quotas.ParallelJobs)
		if len(changed) == 0 {
			return nil
		}
		row, err := q.UpdateAccount(ctx, store.UpdateAccountParams{AccountID: actor.AccountID, Name: settings.Name,
			DefaultWorkflowProfileID: settings.DefaultWorkflowProfileID, FrameAncestors: settings.FrameAncestors,
			QuotaBytes: settings.Quotas.Bytes, QuotaMinutes: settings.Quotas.Minutes,
			QuotaParallelJobs: settings.Quotas.ParallelJobs})
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
	var invalid problem.Faults
	if p.Name != nil {
		settings.Name = plaintext.Composed(strings.TrimSpace(*p.Name))
		invalid.At("#/name", validate.Name(settings.Name, 1, maxAccountName))
	}
	if p.FrameAncestors != nil {
		settings.FrameAncestors = origin.Sites(*p.FrameAncestors, "#/frame_ancestors", &invalid)
	}
	if err := invalid.Err(problem.InvalidInput); err != nil {
		return settings, err
	}
	if p.Quotas != nil {
		var err error
		if settings.Quotas, err = settings.Quotas.patchedBy(p.Quotas); err != nil {
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

// patchedBy returns the quotas with a merge patch applied. Error: INVALID_INPUT.
func (q Quotas) patchedBy(patch json.RawMessage) (Quotas, error) {
	after, _, err := mergepatch.Merge[Quotas]{}.Apply(q, patch)
	if err != nil {
		return q, err
	}
	var invalid problem.Faults
	invalid.At("#/quotas/bytes", faultOfQuota(after.Bytes, maxQuotaBytes))
	invalid.At("#/quotas/minutes", faultOfQuota(after.Minutes, maxQuotaMinutes))
	invalid.At("#/quotas/parallel_jobs", faultOfQuota(after.ParallelJobs, maxParallelJobs))
	return after, invalid.Err(problem.InvalidInput)
}

func addQuota[N int32 | int64](c changes, field string, before, after *N) {
	if !optional.Equal(before, after) {
		c[field] = [2]any{before, after}
	}
}

func faultOfQuota[N int32 | int64](n *N, most N) string {
	if n != nil && (*n < 1 || *n > most) {
		return fmt.Sprintf("must be from 1 to %d, or null for no limit", most)
	}
	return ""
}
