package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/db/dbsqlc"
)

// keepPublicURL notes what serve runs with, so that commands beside it render documents as it does.
func (o *opened) keepPublicURL(ctx context.Context, url string) error {
	if err := dbsqlc.New(o.pool).KeepPublicURL(ctx, url); err != nil {
		return fmt.Errorf("keep the public URL: %w", err)
	}
	return nil
}

// publicURL is the flag's, else what serve last ran with on this database, else the default address's.
func (o *opened) publicURL(ctx context.Context, d *database) (string, error) {
	if d.PublicURL != "" {
		return d.publicURL(defaultAddr), nil
	}
	kept, err := dbsqlc.New(o.pool).PublicURL(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return d.publicURL(defaultAddr), nil
	}
	if err != nil {
		return "", fmt.Errorf("read the public URL: %w", err)
	}
	return kept, nil
}
