package db

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// joined returns the transaction of ctx on the pool, or nil.
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
	succeeded := false
	defer func() {
		if !succeeded { // fn failed or panicked
			t.abort()
		}
	}()
	if err := fn(ctx, t.tx); err != nil {
		return err
	}
	succeeded = true
	return nil
}

func (t *Tx) is(states ...txState) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(states, t.state)
}

func (t *Tx) abort() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == open {
		t.state = aborted
	}
}

func (t *Tx) addAfter(fn func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.after = append(t.after, fn)
}

// end sets the final state and returns the functions to run after the commit.
func (t *Tx) end(state txState) []func() {
	t.mu.Lock()
	defer t.mu.Unlock()
	after := t.after
	t.state, t.after = state, nil
	return after
}
