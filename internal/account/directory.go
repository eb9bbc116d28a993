package account

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account/internal/store"
)

// Directory tells users' names to those who see what the users did.
type Directory struct{ pool *pgxpool.Pool }

// NewDirectory makes a Directory.
func NewDirectory(pool *pgxpool.Pool) *Directory { return &Directory{pool: pool} }

// Names returns the names of those of the ids that are users of the actor's account, in one statement.
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
