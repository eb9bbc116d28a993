package db

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func joined(ctx context.Context, pool *pgxpool.Pool) *Tx {
	if t, _ := ctx.Value(txKey{}).(*Tx); t != nil && t.pool == pool {
		return t
	}
	return nil
}

// join runs fn as a part of the transaction.
func (t *Tx) join(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	if err := t.Usable(); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // failed, or panicked
			t.doom()
		}
	}()
	if err := fn(ctx, t.tx); err != nil {
		return err
	}
	done = true
	return nil
}

func (t *Tx) is(states ...txState) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(states, t.state)
}

func (t *Tx) doom() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == open {
		t.state = doomed
	}
}

func (t *Tx) later(fn func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.after = append(t.after, fn)
}

// end closes the state and hands over what was to run after the commit.
func (t *Tx) end(state txState) []func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	after := t.after
	t.state, t.after = state, nil
	return after
}
