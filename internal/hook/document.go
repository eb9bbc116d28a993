package hook

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/problem"
)

// Document returns the document of a delivery's change: the body of its requests, unless the hook asks for the thin
// one. Hooks receive every item, but their managers see only those that their role may see. Needs items.view, too, and
// for a task workflows.manage. Error: NOT_FOUND, also when the change has left the log.
func (s *Service) Document(ctx context.Context, id uuid.UUID) ([]byte, error) {
	actor, sees, err := authorizeDeliveries(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := account.Authorize(ctx, account.ItemsView); err != nil {
		return nil, err
	}
	q := store.New(db.Read(ctx, s.pool))
	d, _, err := s.getDelivery(ctx, q, actor.AccountID, id, sees)
	if err != nil {
		return nil, err
	}
	document, err := q.DocumentAt(ctx, store.DocumentAtParams{AccountID: actor.AccountID, Position: d.position,
		RoleID: actor.RoleParam()})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "The change of this delivery has left the log.")
	}
	if err != nil {
		return nil, fmt.Errorf("read the document of a delivery: %w", err)
	}
	return document, nil
}
