package graph

import (
	"context"

	"itemcast/internal/optional"

	"itemcast/graph/internal/model"
	"itemcast/internal/hook"
)

func toDelivery(d hook.Delivery) *model.Delivery {
	shown := &model.Delivery{
		ID: d.ID, HookID: optional.OrNil(d.HookID), ItemID: d.ItemID, Cursor: d.Cursor,
		Event:   toEnum[model.HookEvent](d.Event),
		Trigger: d.Trigger, Revision: d.Revision, State: toEnum[model.DeliveryState](string(d.State)),
		NextAttemptAt: d.NextAttemptAt, AttemptCount: int64(d.Attempts), LastAttemptAt: d.LastAttemptAt,
		LastStatus: toInt64(d.LastStatus), LastFault: d.LastFault, LastError: d.LastError, CreatedAt: d.CreatedAt,
		OccurredAt: d.OccurredAt,
	}
	if d.Task != nil {
		shown.Workflow = &model.DeliveryWorkflow{RunID: d.Task.RunID, Task: d.Task.Task}
	}
	if d.WaitsFor != nil {
		shown.WaitsFor = new(toEnum[model.DeliveryWait](string(*d.WaitsFor)))
	}
	return shown
}

func toDeliveryAttempt(a hook.Attempt) *model.DeliveryAttempt {
	shown := &model.DeliveryAttempt{
		Number: int64(a.Number), At: a.At, Trigger: a.Trigger, Succeeded: a.Succeeded, Status: toInt64(a.Status),
		Fault: a.Fault, Error: a.Error, Response: a.Response,
	}
	if a.Duration != nil {
		shown.Duration = new(milliseconds(*a.Duration))
	}
	return shown
}

// deliveries reads a page of deliveries.
func (r *Resolver) deliveries(
	ctx context.Context, filter hook.DeliveryFilter, first *int64, after *string,
) (*model.DeliveryConnection, error) {
	limit, err := pageSize(first, defaultPage)
	if err != nil {
		return nil, err
	}
	deliveries, next, err := r.Hooks.Deliveries(ctx, filter, limit, optional.OrZero(after))
	if err != nil {
		return nil, err
	}
	nodes, cursors := each(deliveries, toDelivery), each(deliveries, hook.Delivery.PageToken)
	return &model.DeliveryConnection{
		Edges: edges(nodes, cursors, func(cursor string, node *model.Delivery) *model.DeliveryEdge {
			return &model.DeliveryEdge{Cursor: cursor, Node: node}
		}),
		Nodes: nodes, PageInfo: forwardPage(after, next, cursors),
	}, nil
}

func toState(state *model.DeliveryState) hook.State {
	if state == nil {
		return ""
	}
	return hook.State(fromEnum(*state))
}
