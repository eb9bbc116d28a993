// Package lease lets a processor make sure, in a transaction that changes its item, that the processing is still its
// own. A node that was paused may have lost it to another one without knowing. It must not know what is processed.
package lease

import (
	"context"

	"github.com/jackc/pgx/v5"
)

type key struct{}

// With returns a context whose Check calls check.
func With(ctx context.Context, check func(ctx context.Context, tx pgx.Tx) error) context.Context {
	return context.WithValue(ctx, key{}, check)
}

// Check returns an error if another node has taken the processing over, or its run has ended. tx holds the lock of the
// item's row, so that the processor which has the lease now publishes later. A context without a lease has none to
// lose.
func Check(ctx context.Context, tx pgx.Tx) error {
	check, ok := ctx.Value(key{}).(func(ctx context.Context, tx pgx.Tx) error)
	if !ok {
		return nil
	}
	return check(ctx, tx)
}
