package hook

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/item"
)

// Items is the part of the item service that hooks use. *item.Service implements it.
type Items interface {
	// Sample returns a document to test a hook with: that of an item; with a nil id, that of the newest item; in an
	// account without items, an example.
	Sample(ctx context.Context, id *uuid.UUID) (item.Document, error)
	// Hold calls fn in a transaction that holds an item.
	Hold(ctx context.Context, id uuid.UUID, fn func(ctx context.Context, tx pgx.Tx, held item.Held) error) error
}
