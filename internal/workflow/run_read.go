package workflow

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/workflow/internal/store"
)

// maxRounds bounds how many pages a token with a filter reads for one: its filter is applied to documents.
const maxRounds = 10

// Runs returns up to limit runs, newest first, that follow a page token; "" stands for the start of the list. Next is
// the token of the following page, or "". It omits the runs of items that the actor does not see. Needs items.view.
// Error: INVALID_PAGE_TOKEN.
func (s *Service) Runs(
	ctx context.Context, filter RunFilter, limit int, after string,
) (list []Run, next string, err error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, runs)
	if err != nil {
		return nil, "", err
	}
	if filter.ForMe && !actor.Permissions.Has(account.WorkflowsAct) {
		return []Run{}, "", nil
	}
	p := store.ListRunsParams{AccountID: actor.AccountID, BeforeID: before, Action: filter.Action,
		ProfileID: filter.ProfileID, ForMe: filter.ForMe, RoleID: actor.RoleParam(), MaxRows: int32(limit + 1)}
	p.Statuses = filter.statuses()
	rows, more, err := s.listRuns(ctx, actor, p, limit)
	if err != nil {
		return nil, "", err
	}
	if list, err = s.toRuns(ctx, db.Read(ctx, s.pool), actor, rows); err != nil {
		return nil, "", err
	}
	if more != nil {
		next = Run{ID: *more}.PageToken()
	}
	return list, next, nil
}

// listRuns returns up to limit rows of items that the actor sees, and the run after which the next page starts; nil:
// this is the last one.
func (s *Service) listRuns(
	ctx context.Context, actor account.Actor, p store.ListRunsParams, limit int,
) (seen []store.ListRunsRow, more *uuid.UUID, err error) {
	q := store.New(db.Read(ctx, s.pool))
	for range maxRounds {
		rows, err := q.ListRuns(ctx, p)
		if err != nil {
			return nil, nil, fmt.Errorf("list runs: %w", err)
		}
		visible, err := s.visible(ctx, actor, rows)
		if err != nil {
			return nil, nil, err
		}
		for n := range visible {
			if len(seen) == limit {
				return seen, &seen[limit-1].ID, nil
			}
			seen = append(seen, visible[n])
		}
		if len(rows) < int(p.MaxRows) {
			return seen, nil, nil
		}
		p.BeforeID = &rows[len(rows)-1].ID
	}
	return seen, p.BeforeID, nil
}

// visible leaves out the runs of items that the filter of the actor's token hides. Statements leave out those that a
// profile hides.
func (s *Service) visible(
	ctx context.Context, actor account.Actor, rows []store.ListRunsRow,
) ([]store.ListRunsRow, error) {
	if actor.Token == nil || actor.Token.Filter == "" || len(rows) == 0 {
		return rows, nil
	}
	ids := make([]uuid.UUID, len(rows))
	for n := range rows {
		ids[n] = rows[n].ItemID
	}
	documents, err := s.items.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	seen := []store.ListRunsRow{}
	for n := range rows {
		if documents[rows[n].ItemID] != nil {
			seen = append(seen, rows[n])
		}
	}
	return seen, nil
}

// RunOf returns the last run of an item. Needs items.view. Error: NOT_FOUND.
func (s *Service) RunOf(ctx context.Context, itemID uuid.UUID) (Run, error) {
	last, err := s.LastRuns(ctx, []uuid.UUID{itemID})
	if err != nil {
		return Run{}, err
	}
	run, ok := last[itemID]
	if !ok {
		return Run{}, errItemHasNoRun
	}
	return run, nil
}

// LastRuns returns the last runs of items, by item; without those that have none, and those of items that the actor
// does not see. Needs items.view.
func (s *Service) LastRuns(ctx context.Context, itemIDs []uuid.UUID) (map[uuid.UUID]Run, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	q := db.Read(ctx, s.pool)
	last, err := store.New(q).LastRuns(ctx, store.LastRunsParams{
		AccountID: actor.AccountID, ItemIds: itemIDs, RoleID: actor.RoleParam()})
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	rows := make([]store.ListRunsRow, len(last))
	for n := range last {
		rows[n] = store.ListRunsRow(last[n])
	}
	if rows, err = s.visible(ctx, actor, rows); err != nil {
		return nil, err
	}
	list, err := s.toRuns(ctx, q, actor, rows)
	if err != nil {
		return nil, err
	}
	byItem := make(map[uuid.UUID]Run, len(list))
	for _, run := range list {
		byItem[run.ItemID] = run
	}
	return byItem, nil
}

// lastRun is RunOf in a transaction that holds the item's lock.
func (s *Service) lastRun(ctx context.Context, tx pgx.Tx, actor account.Actor, itemID uuid.UUID) (Run, error) {
	row, err := store.New(tx).LastRun(ctx, store.LastRunParams{
		AccountID: actor.AccountID, ItemID: itemID, RoleID: actor.RoleParam()})
	if errors.Is(err, pgx.ErrNoRows) {
		return Run{}, errItemHasNoRun
	}
	if err != nil {
		return Run{}, fmt.Errorf("read the run: %w", err)
	}
	list, err := s.toRuns(ctx, tx, actor, []store.ListRunsRow{store.ListRunsRow(row)})
	if err != nil {
		return Run{}, err
	}
	return list[0], nil
}
