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
	"itemcast/internal/optional"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/workflow/internal/store"
	"itemcast/internal/workflow/machine"
)

var errNoProfile = problem.New(problem.NotFound, "There is no such workflow profile.")

// Profile is a workflow that items can have. With RoleIDs, only users of those roles see its items; permissions make no
// difference.
type Profile struct {
	ID                   uuid.UUID
	Name                 string
	Description          string
	RoleIDs              []uuid.UUID // empty: all roles
	Version              int32       // raised when actions or tasks change
	Actions              []machine.Action
	Tasks                []Task
	Uploads              Uploads
	OldSecretUntil       *time.Time // the previous secret also signs tasks until then; nil: it does not
	OldUploadSecretUntil *time.Time // tickets may be signed with the previous upload secret until then; nil: they may not
	CreatedAt            time.Time
	UpdatedAt            time.Time
	Revision             int64 // raised by each change to the profile or its secrets
}

// stored is a profile with what is never shown.
type stored struct {
	Profile                            // without Tasks
	definition      machine.Definition // with the values of headers
	hasUploadSecret bool
}

// shownTo returns the profile as an actor sees it.
func (p stored) shownTo(actor account.Actor) Profile {
	p.Tasks = shownTasks(p.definition.Tasks, actor.Permissions.Has(account.WorkflowsManage))
	return p.Profile
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
		AccountID: actor.AccountID, BeforeID: before, RoleID: actor.ProfilesRole(), MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("list workflow profiles: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListWorkflowProfilesRow) string {
		return Profile{ID: row.ID}.PageToken()
	})
	profiles = make([]Profile, len(rows))
	for i, row := range rows {
		profile, err := fromRow(store.GetWorkflowProfileRow(row))
		if err != nil {
			return nil, "", err
		}
		profiles[i] = profile.shownTo(actor)
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
	profile, err := get(ctx, db.Read(ctx, s.pool), actor, id)
	if err != nil {
		return Profile{}, err
	}
	return profile.shownTo(actor), nil
}

// get reads a profile that the actor may see. Error: NOT_FOUND.
func get(ctx context.Context, tx db.Querier, actor account.Actor, id uuid.UUID) (stored, error) {
	row, err := store.New(tx).GetWorkflowProfile(ctx, store.GetWorkflowProfileParams{
		AccountID: actor.AccountID, ID: id, RoleID: actor.ProfilesRole()})
	if errors.Is(err, pgx.ErrNoRows) {
		return stored{}, errNoProfile
	}
	if err != nil {
		return stored{}, fmt.Errorf("read workflow profile: %w", err)
	}
	return fromRow(row)
}

func fromRow(row store.GetWorkflowProfileRow) (stored, error) {
	definition, err := decodeDefinition(row.Actions, row.Tasks)
	if err != nil {
		return stored{}, err
	}
	uploads, err := decodeUploads(row.Uploads)
	p := Profile{ID: row.ID, Name: row.Name, Description: row.Description, RoleIDs: row.RoleIds, Version: row.Version,
		Actions: definition.Actions, Uploads: uploads, OldSecretUntil: stillAhead(row.OldSecretUntil),
		OldUploadSecretUntil: stillAhead(row.OldUploadSecretUntil), CreatedAt: row.CreatedAt.UTC(),
		UpdatedAt: row.UpdatedAt.UTC(), Revision: row.Revision}
	return stored{Profile: p, definition: definition, hasUploadSecret: row.HasUploadSecret}, err
}

// stillAhead returns the end of an old secret in UTC; nil if there is none, or it has passed.
func stillAhead(until *time.Time) *time.Time {
	if until == nil || !until.After(time.Now()) {
		return nil
	}
	return utc(until)
}

func utc(t *time.Time) *time.Time { return optional.Map(t, time.Time.UTC) }
