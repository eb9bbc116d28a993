package hook

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/item"
)

// Items is what hooks need of the items. It is *item.Service.
type Items interface {
	// Sample returns a document to test a hook with: that of the item, else of the newest, else a made-up one.
	Sample(ctx context.Context, id *uuid.UUID) (item.Document, error)
	// Hold calls fn in a transaction that holds an item.
	Hold(ctx context.Context, id uuid.UUID, fn func(ctx context.Context, tx pgx.Tx, held item.Held) error) error
}
