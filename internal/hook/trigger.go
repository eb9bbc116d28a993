package hook

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// Triggered is an item that was triggered, and the hooks that it is sent to.
type Triggered struct {
	Revision int64
	Hooks    []uuid.UUID
}

// Trigger sends an item as it is to every active hook that asks for triggers or updates of it. It needs items.edit.
// Errors: NOT_FOUND; NO_HOOK when there is no such hook.
func (s *Service) Trigger(ctx context.Context, id uuid.UUID) (Triggered, error) {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return Triggered{}, err
	}
	var triggered Triggered
	err = s.items.Hold(ctx, id, func(ctx context.Context, tx pgx.Tx, held item.Held) error {
		hooks, err := s.wanting(ctx, tx, actor.AccountID, held.Item)
		if err != nil {
			return err
		}
		if len(hooks) == 0 {
			return problem.New(problem.NoHook,
				"No active hook asks for triggers or updates of this item. Make one at /api/v1/hooks.")
		}
		triggered = Triggered{Revision: held.Revision, Hooks: hooks}
		return change.Record(ctx, tx, change.Change{
			AccountID: actor.AccountID, ItemID: id, Revision: held.Revision, Kind: change.Triggered,
			Actor:   actor.UserParam(),
			Trigger: change.TriggerManual, Targets: hooks, Document: held.Document, OccurredAt: held.At,
		})
	})
	return triggered, err
}

// Targets returns the hooks to which Trigger would send an item. It needs items.edit.
func (s *Service) Targets(ctx context.Context, i *item.Item) ([]uuid.UUID, error) {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return nil, err
	}
	return s.wanting(ctx, db.Read(ctx, s.pool), actor.AccountID, i)
}

// wanting returns the account's active hooks that ask for triggers or updates and whose filter includes the item.
func (s *Service) wanting(ctx context.Context, q db.Querier, accountID uuid.UUID, i *item.Item) ([]uuid.UUID, error) {
	rows, err := store.New(q).HooksWanting(ctx, store.HooksWantingParams{
		AccountID: accountID, Events: []string{ItemTriggered, ItemUpdated},
	})
	if err != nil {
		return nil, fmt.Errorf("find hooks: %w", err)
	}
	ids := make([]uuid.UUID, 0, len(rows))
	for _, row := range rows {
		passes, err := s.passes(ctx, accountID, row.Filter, i)
		if err != nil {
			return nil, err
		}
		if passes {
			ids = append(ids, row.ID)
		}
	}
	return ids, nil
}

// passes reports whether an item passes a hook's filter. No item passes a filter that names a deleted metadata field:
// the dispatcher is about to make that hook inactive.
func (s *Service) passes(ctx context.Context, accountID uuid.UUID, raw []byte, i *item.Item) (bool, error) {
	filter, err := item.ParseFilter(raw)
	if err != nil || filter == nil {
		return err == nil, err
	}
	matcher, err := item.NewMatcher(ctx, s.pool, accountID, *filter)
	if problem.Is(err, problem.InvalidInput) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return matcher.Match(i), nil
}
