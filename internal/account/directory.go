package account

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account/internal/store"
)

// Directory looks up the names of users, such as the creator of an item. Unlike the methods of [Service], it needs only
// items.view. Its methods may be called concurrently.
type Directory struct{ pool *pgxpool.Pool }

// NewDirectory returns a Directory on pool.
func NewDirectory(pool *pgxpool.Pool) *Directory { return &Directory{pool: pool} }

// Names returns the names of users of the actor's account, in one statement. It omits unknown ids. Needs items.view.
func (d *Directory) Names(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	actor, err := Authorize(ctx, ItemsView)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(d.pool).UsersByID(ctx, store.UsersByIDParams{AccountID: actor.AccountID, Ids: ids})
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	names := make(map[uuid.UUID]string, len(rows))
	for _, row := range rows {
		names[row.ID] = row.Name
	}
	return names, nil
}
