// Package workflow is what happens to items on their way: its profiles say how, and who may see the items meanwhile.
//
// It promises that an item of a profile that is limited to roles does not exist for users of other roles: the rule is the function
// hidden_profiles (sql/migrations), which every statement that reads items asks, and Hidden for those who follow the log. It must not know items
// beyond that they name a profile.
package workflow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"slices"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/validate"
	"itemcast/internal/workflow/internal/store"
)

var (
	errNoProfile = problem.New(problem.NotFound, "There is no such workflow profile.")
	errTaken     = problem.New(problem.Conflict, "There is a workflow profile with this name already.")
)

// maxRoles is to how many roles a profile may be limited.
const maxRoles = 100

// Profile is a way that items go. With RoleIDs, its items are for users of those roles only, whatever else the others may do: one who manages
// users, workflows or all there is sees them no more than a viewer does.
type Profile struct {
	ID          uuid.UUID
	Name        string
	Description string
	RoleIDs     []uuid.UUID // empty: all
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Revision    int64
}

// ProfileInput is what a profile is made of.
type ProfileInput struct {
	Name        string
	Description string
	RoleIDs     []uuid.UUID
}

// ProfilePatch changes what is not nil.
type ProfilePatch struct {
	Name        *string
	Description *string
	RoleIDs     *[]uuid.UUID
}

// Service keeps an account's workflow profiles. Its methods may be called concurrently.
type Service struct{ pool *pgxpool.Pool }

// NewService makes a Service.
func NewService(pool *pgxpool.Pool) *Service { return &Service{pool: pool} }

// Profiles returns up to limit profiles whose items the actor's role sees, newest first, from after on, which is empty or what an earlier call
// gave as next; next is empty at the end. Who has workflows.manage sees all. Needs items.view. Error: INVALID_CURSOR.
func (s *Service) Profiles(ctx context.Context, limit int, after string) (profiles []Profile, next string, err error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "workflow-profiles")
	if err != nil {
		return nil, "", err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListWorkflowProfiles(ctx, store.ListWorkflowProfilesParams{AccountID: actor.AccountID,
		BeforeID: before, RoleID: seenBy(actor), MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("list workflow profiles: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListWorkflowProfilesRow) string { return page.Token("workflow-profiles", row.ID) })
	profiles = make([]Profile, len(rows))
	for i, row := range rows {
		profiles[i] = toProfile(store.GetWorkflowProfileRow(row))
	}
	return profiles, next, nil
}

// Profile returns a profile that Profiles tells of. Needs items.view. Error: NOT_FOUND.
func (s *Service) Profile(ctx context.Context, id uuid.UUID) (Profile, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Profile{}, err
	}
	row, err := store.New(db.Read(ctx, s.pool)).GetWorkflowProfile(ctx, store.GetWorkflowProfileParams{AccountID: actor.AccountID, ID: id,
		RoleID: seenBy(actor)})
	if errors.Is(err, pgx.ErrNoRows) {
		return Profile{}, errNoProfile
	}
	if err != nil {
		return Profile{}, fmt.Errorf("read workflow profile: %w", err)
	}
	return toProfile(row), nil
}

// seenBy is the role whose profiles an actor sees; nil sees all, as who manages them does.
func seenBy(actor account.Actor) *uuid.UUID {
	if actor.Permissions.Has(account.WorkflowsManage) {
		return nil
	}
	return actor.RoleIn()
}

// change runs fn in a transaction, with what the actor may do by then.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error) error {
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		actor, err := account.Reauthorize(ctx, tx, account.WorkflowsManage)
		if err != nil {
			return err
		}
		return fn(ctx, tx, store.New(tx), actor)
	})
}

// CreateProfile makes a profile. Needs workflows.manage. Errors: INVALID_INPUT and RULE_VIOLATED with every fault, CONFLICT when the name is
// taken.
func (s *Service) CreateProfile(ctx context.Context, in ProfileInput) (Profile, error) {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Profile{}, err
	}
	in.Name, in.RoleIDs = strings.TrimSpace(in.Name), unique(in.RoleIDs)
	if err := in.check(""); err != nil {
		return Profile{}, err
	}
	var made Profile
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		if err := checkRoles(ctx, tx, actor.AccountID, in.RoleIDs); err != nil {
			return err
		}
		row, err := q.InsertWorkflowProfile(ctx, store.InsertWorkflowProfileParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID,
			Name: in.Name, Description: in.Description, RoleIds: in.RoleIDs})
		if errors.Is(err, pgx.ErrNoRows) {
			return errTaken
		}
		if err != nil {
			return fmt.Errorf("insert workflow profile: %w", err)
		}
		made = toProfile(store.GetWorkflowProfileRow(row))
		return account.Audit(ctx, tx, "workflow-profile.created", path(made.ID), map[string]any{"name": made.Name, "role_ids": made.RoleIDs})
	})
	return made, err
}

// PatchProfile changes a profile, and with its roles who sees its items, at once. That is no change of the items: the log tells of none.
// Needs workflows.manage. Errors: as CreateProfile, NOT_FOUND, REVISION_MISMATCH.
func (s *Service) PatchProfile(ctx context.Context, id uuid.UUID, patch ProfilePatch, condition revision.Condition) (Profile, error) {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return Profile{}, err
	}
	var profile Profile
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		before, err := lock(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		in := ProfileInput{Name: before.Name, Description: before.Description, RoleIDs: before.RoleIDs}
		if patch.Name != nil {
			in.Name = strings.TrimSpace(*patch.Name)
		}
		set(&in.Description, patch.Description)
		if patch.RoleIDs != nil {
			in.RoleIDs = unique(*patch.RoleIDs)
		}
		if err := in.check(before.Name); err != nil {
			return err
		}
		if err := checkRoles(ctx, tx, actor.AccountID, in.RoleIDs); err != nil {
			return err
		}
		taken, err := q.WorkflowProfileNameTaken(ctx, store.WorkflowProfileNameTakenParams{AccountID: actor.AccountID, Name: in.Name, ID: id})
		if err != nil {
			return fmt.Errorf("look up the name: %w", err)
		}
		if taken {
			return errTaken
		}
		row, err := q.UpdateWorkflowProfile(ctx, store.UpdateWorkflowProfileParams{AccountID: actor.AccountID, ID: id, Name: in.Name,
			Description: in.Description, RoleIds: in.RoleIDs})
		if err != nil {
			return fmt.Errorf("update workflow profile: %w", err)
		}
		profile = toProfile(store.GetWorkflowProfileRow(row))
		return account.Audit(ctx, tx, "workflow-profile.updated", path(id), map[string]any{
			"name": [2]string{before.Name, profile.Name}, "role_ids": [2][]uuid.UUID{before.RoleIDs, profile.RoleIDs}})
	})
	return profile, err
}

// DeleteProfile deletes a profile that no item has. Needs workflows.manage. Errors: NOT_FOUND, REVISION_MISMATCH, CONFLICT.
func (s *Service) DeleteProfile(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	_, err := account.Authorize(ctx, account.WorkflowsManage)
	if err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		profile, err := lock(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		used, err := q.WorkflowProfileInUse(ctx, store.WorkflowProfileInUseParams{AccountID: actor.AccountID, ID: &id})
		if err != nil {
			return fmt.Errorf("look for items of the workflow profile: %w", err)
		}
		if used {
			return problem.New(problem.Conflict, "There are items of this workflow profile, which you may not all see; give them another one before.")
		}
		if err := q.DeleteWorkflowProfile(ctx, store.DeleteWorkflowProfileParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete workflow profile: %w", err)
		}
		return account.Audit(ctx, tx, "workflow-profile.deleted", path(id), map[string]any{"name": profile.Name})
	})
}

// lock holds the profile's row; an item that is about to be given it waits.
func lock(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID, condition revision.Condition) (Profile, error) {
	row, err := q.LockWorkflowProfile(ctx, store.LockWorkflowProfileParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Profile{}, errNoProfile
	}
	if err != nil {
		return Profile{}, fmt.Errorf("lock workflow profile: %w", err)
	}
	return toProfile(store.GetWorkflowProfileRow(row)), condition.Check(row.Revision)
}

// checkRoles refuses roles that the account does not have. None of those it has can be deleted meanwhile.
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

// check checks an input for what the contract requires: inputs of GraphQL have not passed it. A profile may keep its name.
func (in *ProfileInput) check(before string) error {
	var faults problem.Faults
	if in.Name != before {
		faults.At("#/name", validate.Name(in.Name, 1, 100))
	}
	faults.At("#/description", validate.Text(in.Description, 0, 2000))
	if len(in.RoleIDs) > maxRoles {
		faults.At("#/role_ids", fmt.Sprintf("must have at most %d entries", maxRoles))
	}
	return faults.Err(problem.InvalidInput)
}

func unique(ids []uuid.UUID) []uuid.UUID {
	seen, out := map[uuid.UUID]bool{}, []uuid.UUID{}
	for _, id := range ids {
		if !seen[id] {
			seen[id], out = true, append(out, id)
		}
	}
	return out
}

func path(id uuid.UUID) string { return "workflow-profiles/" + id.String() }

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

func toProfile(row store.GetWorkflowProfileRow) Profile {
	return Profile{ID: row.ID, Name: row.Name, Description: row.Description, RoleIDs: row.RoleIds, CreatedAt: row.CreatedAt.UTC(),
		UpdatedAt: row.UpdatedAt.UTC(), Revision: row.Revision}
}
