package workflow

import (
	"bytes"
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
	"itemcast/internal/workflow/machine"
)

var errNoVersion = problem.New(problem.NotFound, "The workflow profile has no such version.")

// Version is what a profile did from CreatedAt on, until its next version.
type Version struct {
	Version   int32
	Actions   []machine.Action
	Tasks     []Task
	CreatedAt time.Time
}

// versions is the name of the list in page tokens.
const versions = "workflow-profile-versions"

// PageToken returns the token of the version's place in the list of its profile's versions.
func (v Version) PageToken(profile uuid.UUID) string {
	return page.Token(versions, profile, int64(v.Version))
}

// Versions returns up to limit versions of a profile, newest first, that follow a page token; "" stands for the start
// of the list. Next is the token of the following page, or "". Needs items.view. Errors: NOT_FOUND; INVALID_PAGE_TOKEN.
func (s *Service) Versions(ctx context.Context, profile uuid.UUID, limit int, after string) (
	all []Version, next string, err error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, "", err
	}
	before, err := readVersionToken(profile, after)
	if err != nil {
		return nil, "", err
	}
	tx := db.Read(ctx, s.pool)
	if _, err := get(ctx, tx, actor, profile); err != nil {
		return nil, "", err
	}
	rows, err := store.New(tx).ListWorkflowProfileVersions(ctx, store.ListWorkflowProfileVersionsParams{
		AccountID: actor.AccountID, ProfileID: profile, BeforeVersion: before, MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("list the versions of a workflow profile: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListWorkflowProfileVersionsRow) string {
		return Version{Version: row.Version}.PageToken(profile)
	})
	all = make([]Version, len(rows))
	for i, row := range rows {
		if all[i], err = toVersion(store.GetWorkflowProfileVersionRow(row), actor); err != nil {
			return nil, "", err
		}
	}
	return all, next, nil
}

// readVersionToken returns the version of a page token of the profile's list; nil for "".
func readVersionToken(profile uuid.UUID, token string) (*int32, error) {
	if token == "" {
		return nil, nil
	}
	var of uuid.UUID
	var version int64
	if err := page.Read(token, versions, &of, &version); err != nil {
		return nil, err
	}
	if of != profile || version != int64(int32(version)) {
		return nil, page.ErrInvalid()
	}
	return new(int32(version)), nil
}

// Version returns a version of a profile. Needs items.view. Error: NOT_FOUND.
func (s *Service) Version(ctx context.Context, profile uuid.UUID, version int32) (Version, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return Version{}, err
	}
	tx := db.Read(ctx, s.pool)
	if _, err := get(ctx, tx, actor, profile); err != nil {
		return Version{}, err
	}
	row, err := store.New(tx).GetWorkflowProfileVersion(ctx, store.GetWorkflowProfileVersionParams{
		AccountID: actor.AccountID, ProfileID: profile, Version: version})
	if errors.Is(err, pgx.ErrNoRows) {
		return Version{}, errNoVersion
	}
	if err != nil {
		return Version{}, fmt.Errorf("read a version of a workflow profile: %w", err)
	}
	return toVersion(row, actor)
}

func toVersion(row store.GetWorkflowProfileVersionRow, actor account.Actor) (Version, error) {
	d, err := decodeDefinition(row.Actions, row.Tasks)
	return Version{Version: row.Version, Actions: d.Actions, CreatedAt: row.CreatedAt.UTC(),
		Tasks: shownTasks(d.Tasks, actor.Permissions.Has(account.WorkflowsManage))}, err
}

// insertVersion keeps the present version of a profile.
func insertVersion(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, p stored) error {
	columns, err := encodeDefinition(masked(p.definition))
	if err != nil {
		return err
	}
	err = store.New(tx).InsertWorkflowProfileVersion(ctx, store.InsertWorkflowProfileVersionParams{AccountID: accountID,
		ProfileID: p.ID, Version: p.Version, Actions: columns.actions, Tasks: columns.tasks})
	if err != nil {
		return fmt.Errorf("insert version %d of workflow profile %s: %w", p.Version, p.ID, err)
	}
	return nil
}

// differences reports whether the actions and the tasks of two definitions differ. It also returns the columns of the
// second one.
func differences(before, after machine.Definition) (actions, tasks bool, c columns, err error) {
	old, err := encodeDefinition(before)
	if err != nil {
		return false, false, c, err
	}
	if c, err = encodeDefinition(after); err != nil {
		return false, false, c, err
	}
	return !bytes.Equal(old.actions, c.actions), !bytes.Equal(old.tasks, c.tasks), c, nil
}
