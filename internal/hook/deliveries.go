package hook

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/db"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/page"
)

// DeliveryFilter selects deliveries. A zero criterion selects all.
type DeliveryFilter struct {
	Hook           *uuid.UUID
	Item           *uuid.UUID
	State          State
	OccurredAfter  *time.Time // time of the change; approximate where the log is not in the order of time
	OccurredBefore *time.Time
}

// deliveryList is the name of the list in page tokens.
const deliveryList = "deliveries"

// PageToken returns the token of the delivery's place in the list of deliveries.
func (d Delivery) PageToken() string { return page.Token(deliveryList, d.position, d.hook) }

// Deliveries returns up to limit deliveries to the account's hooks and of its workflows' tasks, newest changes first,
// after a page token; the empty token is the first page. The next token is empty on the last page. It lists those of
// tasks if the actor has workflows.manage, too. Errors: NOT_FOUND for an unknown hook, INVALID_PAGE_TOKEN.
func (s *Service) Deliveries(
	ctx context.Context, filter DeliveryFilter, limit int, after string,
) (deliveries []Delivery, next string, err error) {
	actor, sees, err := authorizeDeliveries(ctx)
	if err != nil {
		return nil, "", err
	}
	q := store.New(db.Read(ctx, s.pool))
	if filter.Hook != nil {
		if _, err := get(ctx, q, actor.AccountID, *filter.Hook); err != nil {
			return nil, "", err
		}
	}
	p, err := s.bounds(ctx, filter, after)
	if err != nil {
		return nil, "", err
	}
	p.AccountID, p.HookID, p.ItemID, p.MaxRows = actor.AccountID, filter.Hook, filter.Item, int32(limit+1)
	p.OfTasks = sees.tasks
	var pending []Delivery
	if filter.State == "" || filter.State == Pending {
		rows, err := q.PendingDeliveries(ctx, p)
		if err != nil {
			return nil, "", fmt.Errorf("list pending deliveries: %w", err)
		}
		for _, row := range rows {
			pending = append(pending, s.toPending(row))
		}
	}
	if filter.State != Pending {
		rows, err := endedRows(ctx, q, p, filter)
		if err != nil {
			return nil, "", fmt.Errorf("list ended deliveries: %w", err)
		}
		for _, row := range rows {
			deliveries = append(deliveries, s.toEnded(row))
		}
	}
	deliveries = append(deliveries, pending...)
	slices.SortStableFunc(deliveries, newestFirst)
	// A delivery that ended between the two reads is in both.
	deliveries = slices.CompactFunc(deliveries, func(a, b Delivery) bool { return newestFirst(a, b) == 0 })
	deliveries, next = page.Cut(deliveries, limit, Delivery.PageToken)
	return deliveries, next, nil
}

func newestFirst(a, b Delivery) int {
	if a.position != b.position {
		return int(b.position - a.position)
	}
	return slices.Compare(b.hook[:], a.hook[:])
}

// afterAllHooks is higher than every id: with it, a bound lies after all deliveries of its position.
var afterAllHooks = uuid.Max

// bounds returns the positions between which to search: those of the page and of the filter's times.
func (s *Service) bounds(
	ctx context.Context, filter DeliveryFilter, after string,
) (p store.PendingDeliveriesParams, err error) {
	p.BeforePosition = math.MaxInt64
	if after != "" {
		if err = page.Read(after, deliveryList, &p.BeforePosition, &p.BeforeHook); err != nil {
			return p, err
		}
	}
	if filter.OccurredAfter != nil {
		position, err := s.feed.PositionAt(ctx, *filter.OccurredAfter)
		if err != nil {
			return p, err
		}
		p.AfterPosition = int64(position)
	}
	if filter.OccurredBefore != nil {
		position, err := s.feed.PositionAt(ctx, *filter.OccurredBefore)
		if err != nil {
			return p, err
		}
		if int64(position) < p.BeforePosition {
			p.BeforePosition, p.BeforeHook = int64(position), afterAllHooks
		}
	}
	return p, nil
}

// endedRows reads deliveries that have ended by the query whose index fits the filter.
func endedRows(
	ctx context.Context, q *store.Queries, p store.PendingDeliveriesParams, filter DeliveryFilter,
) (rows []store.EndedDeliveriesRow, err error) {
	var outcome *string
	if filter.State != "" {
		outcome = new(string(filter.State))
	}
	switch {
	case filter.Item != nil:
		found, err := q.EndedDeliveriesOfItem(ctx, store.EndedDeliveriesOfItemParams{
			AccountID: p.AccountID, ItemID: *p.ItemID, HookID: p.HookID, Outcome: outcome,
			OfTasks:        p.OfTasks,
			BeforePosition: p.BeforePosition, AfterPosition: p.AfterPosition, BeforeHook: p.BeforeHook,
			MaxRows: p.MaxRows,
		})
		for _, row := range found {
			rows = append(rows, store.EndedDeliveriesRow{
				ID: row.ID, HookID: row.HookID, ItemID: row.ItemID, Position: row.Position, Revision: row.Revision,
				Kind: row.Kind, Trigger: row.Trigger, Number: row.Number, At: row.At, Took: row.Took,
				Outcome: row.Outcome,
				Status:  row.Status, Fault: row.Fault, Error: row.Error, CreatedAt: row.CreatedAt,
				OccurredAt: &row.OccurredAt, WorkflowProfileID: row.WorkflowProfileID, Task: row.Task,
			})
		}
		return rows, err
	case filter.State == Failed:
		found, err := q.FailedDeliveries(ctx, store.FailedDeliveriesParams{
			AccountID: p.AccountID, HookID: p.HookID, OfTasks: p.OfTasks,
			BeforePosition: p.BeforePosition, AfterPosition: p.AfterPosition, BeforeHook: p.BeforeHook,
			MaxRows: p.MaxRows,
		})
		for _, row := range found {
			rows = append(rows, store.EndedDeliveriesRow(row))
		}
		return rows, err
	default:
		return q.EndedDeliveries(ctx, store.EndedDeliveriesParams{
			AccountID: p.AccountID, HookID: p.HookID, Outcome: outcome, OfTasks: p.OfTasks,
			BeforePosition: p.BeforePosition, AfterPosition: p.AfterPosition, BeforeHook: p.BeforeHook,
			MaxRows: p.MaxRows,
		})
	}
}
