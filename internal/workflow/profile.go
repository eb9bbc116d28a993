package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/workflow/internal/store"
)

var errNoProfile = problem.New(problem.NotFound, "There is no such workflow profile.")

// Profile is a workflow that items can have. With RoleIDs, only users of those roles see its items; permissions make no
// difference.
type Profile struct {
	ID          uuid.UUID
	Name        string
	Description string
	RoleIDs     []uuid.UUID // empty: all roles
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Revision    int64
}

// PageToken returns the token of the profile's place in the list of profiles.
func (p Profile) PageToken() string { return page.Token(list, p.ID) }

// Profiles returns up to limit profiles, newest first, that follow a page token; "" stands for the start of the list.
// Next is the token of the following page, or "". It omits profiles whose items the actor's role does not see, unless
// the actor has workflows.manage. Needs items.view. Error: INVALID_PAGE_TOKEN.
func (s *Service) Profiles(ctx context.Context, limit int, after string) (profiles []Profile, next string, err error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, list)
	if err != nil {
		return nil, "", err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListWorkflowProfiles(ctx, store.ListWorkflowProfilesParams{
		AccountID: actor.AccountID, BeforeID: before, RoleID: limitedTo(actor), MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("list workflow profiles: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListWorkflowProfilesRow) string {
		return Profile{ID: row.ID}.PageToken()
	})
	profiles = make([]Profile, len(rows))
	for i, row := range rows {
		profiles[i] = toProfile(store.GetWorkflowProfileRow(row))
	}
	return profiles, next, nil
}

// list is the name of the list in page tokens and audit subjects.
const list = "workflow-profiles"

// Profile returns a profile, with the limits of Profiles. Needs items.view. Error: NOT_FOUND.
func (s *Service) Profile(ctx context.Context, id uuid.UUID) (Profile, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Profile{}, err
	}
	row, err := store.New(db.Read(ctx, s.pool)).GetWorkflowProfile(ctx, store.GetWorkflowProfileParams{
		AccountID: actor.AccountID, ID: id, RoleID: limitedTo(actor)})
	if errors.Is(err, pgx.ErrNoRows) {
		return Profile{}, errNoProfile
	}
	if err != nil {
		return Profile{}, fmt.Errorf("read workflow profile: %w", err)
	}
	return toProfile(row), nil
}

// limitedTo returns the role whose profiles an actor sees; nil sees all.
func limitedTo(actor account.Actor) *uuid.UUID {
	if actor.Permissions.Has(account.WorkflowsManage) {
		return nil
	}
	return actor.RoleParam()
}

func toProfile(row store.GetWorkflowProfileRow) Profile {
	return Profile{ID: row.ID, Name: row.Name, Description: row.Description, RoleIDs: row.RoleIds,
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(), Revision: row.Revision}
}
