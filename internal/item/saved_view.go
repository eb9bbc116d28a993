package item

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// Limits of saved views, as in the contract.
const (
	maxViews     = 100  // of a user
	maxShown     = 500  // of a user and those that others share
	maxViewName  = 100  // characters
	maxViewQuery = 2000 // characters
)

// SavedView is a filter and an order of the list of items under a name. Only its user sees it, unless it is shared.
type SavedView struct {
	ID        uuid.UUID
	UserID    uuid.UUID // whose it is
	Name      string
	Query     string // the parameters of GET /items, as in an address: "tags=silent&sort=name"
	Shared    bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// SavedViewInput is a view to save.
type SavedViewInput struct {
	Name, Query string
	Shared      bool
}

var (
	errNoView       = problem.New(problem.NotFound, "There is no such view of yours.")
	errTooManyViews = problem.New(problem.Conflict, "A user can have %d views. Delete one first.", maxViews)
)

// authorizeViews returns the actor of ctx. Views belong to people: an access token of a public page must not show them.
func authorizeViews(ctx context.Context) (account.Actor, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return actor, err
	}
	return actor, account.RefuseToken(actor, "read or save views")
}

// Views returns the actor's views by name, and then those that others share, up to 500. Needs items.view.
func (s *Service) Views(ctx context.Context) ([]SavedView, error) {
	actor, err := authorizeViews(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListViews(ctx, store.ListViewsParams{AccountID: actor.AccountID,
		UserID: actor.UserID, MaxRows: maxShown})
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	views := make([]SavedView, len(rows))
	for i, row := range rows {
		views[i] = toView(store.SaveViewRow(row))
	}
	return views, nil
}

// SaveView saves a view of the actor. It replaces the one with the same name. Needs items.view. Errors: INVALID_INPUT
// with every fault; CONFLICT when the user has 100 views.
func (s *Service) SaveView(ctx context.Context, in SavedViewInput) (v SavedView, err error) {
	actor, err := authorizeViews(ctx)
	if err != nil {
		return v, err
	}
	if in, err = in.checked(); err != nil {
		return v, err
	}
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		others, err := q.CountViews(ctx, store.CountViewsParams{AccountID: actor.AccountID, UserID: actor.UserID,
			Name: in.Name})
		if err != nil {
			return fmt.Errorf("count views: %w", err)
		}
		if others >= maxViews {
			return errTooManyViews
		}
		row, err := q.SaveView(ctx, store.SaveViewParams{ID: uuid.Must(uuid.NewV7()), AccountID: actor.AccountID,
			UserID: actor.UserID, Name: in.Name, Query: in.Query, Shared: in.Shared})
		if err != nil {
			return fmt.Errorf("save a view: %w", err)
		}
		v = toView(row)
		return nil
	})
	return v, err
}

// checked returns the input in its normal form. Error: INVALID_INPUT.
func (in SavedViewInput) checked() (SavedViewInput, error) {
	var faults problem.Faults
	in.Name = plaintext.Composed(strings.TrimSpace(in.Name))
	faults.At("#/name", validate.Name(in.Name, 1, maxViewName))
	in.Query = strings.TrimPrefix(in.Query, "?")
	faults.At("#/query", validate.Text(in.Query, 0, maxViewQuery))
	values, err := url.ParseQuery(in.Query)
	if err != nil {
		faults.At("#/query", "must be the query of an address, such as tags=silent&sort=name")
	}
	for _, place := range []string{"after", "before", "limit"} { // a view is no page of a list
		values.Del(place)
	}
	in.Query = values.Encode()
	return in, faults.Err(problem.InvalidInput)
}

// DeleteView deletes a view of the actor. With users.manage it also deletes one that another user shares. Needs
// items.view. Error: NOT_FOUND.
func (s *Service) DeleteView(ctx context.Context, id uuid.UUID) error {
	actor, err := authorizeViews(ctx)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		deleted, err := store.New(tx).DeleteView(ctx, store.DeleteViewParams{AccountID: actor.AccountID, ID: id,
			UserID: actor.UserID, AnyShared: actor.Permissions.Has(account.UsersManage)})
		if err != nil {
			return fmt.Errorf("delete a view: %w", err)
		}
		if deleted == 0 {
			return errNoView
		}
		return nil
	})
}

func toView(row store.SaveViewRow) SavedView {
	return SavedView{ID: row.ID, UserID: row.UserID, Name: row.Name, Query: row.Query, Shared: row.Shared,
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC()}
}
