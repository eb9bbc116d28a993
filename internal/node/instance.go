package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
	"itemcast/internal/node/internal/store"
)

// StorePublicURL stores the server's base URL, so that other commands on this database render documents with the same
// URLs.
func StorePublicURL(ctx context.Context, conn db.Querier, url string) error {
	if err := store.New(conn).StorePublicURL(ctx, url); err != nil {
		return fmt.Errorf("store the public URL: %w", err)
	}
	return nil
}

// StoredPublicURL returns the base URL of the last server on this database; "" if there was none.
func StoredPublicURL(ctx context.Context, conn db.Querier) (string, error) {
	url, err := store.New(conn).PublicURL(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the public URL: %w", err)
	}
	return url, nil
}
