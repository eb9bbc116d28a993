package core

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"itemcast/internal/hook"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
)

// ListDeliveries lists the deliveries of all hooks and tasks, newest change first.
func (a *API) ListDeliveries(
	ctx context.Context, request oapi.ListDeliveriesRequestObject,
) (oapi.ListDeliveriesResponseObject, error) {
	p := request.Params
	return a.deliveries(ctx, hook.DeliveryFilter{
		Hook: p.Hook, Item: cmp.Or(p.ItemID, p.Item), State: hook.State(optional.OrZero(p.State)),
		OccurredAfter: p.OccurredAfter, OccurredBefore: p.OccurredBefore,
	}, p.Limit, p.After)
}

// ListHookDeliveries lists the deliveries of one hook, newest change first.
func (a *API) ListHookDeliveries(
	ctx context.Context, request oapi.ListHookDeliveriesRequestObject,
) (oapi.ListHookDeliveriesResponseObject, error) {
	p := request.Params
	return a.deliveries(ctx, hook.DeliveryFilter{
		Hook: &request.ID, Item: cmp.Or(p.ItemID, p.Item), State: hook.State(optional.OrZero(p.State)),
		OccurredAfter: p.OccurredAfter, OccurredBefore: p.OccurredBefore,
	}, p.Limit, p.After)
}

func (a *API) deliveries(
	ctx context.Context, filter hook.DeliveryFilter, limit *int32, after *string,
) (*deliveryList, error) {
	deliveries, next, err := a.Hooks.Deliveries(ctx, filter, pageSize(limit), optional.OrZero(after))
	if err != nil {
		return nil, err
	}
	list := &deliveryList{oapi.DeliveryList{
		Results: make([]oapi.Delivery, len(deliveries)), Next: a.nextURL(ctx, next),
	}}
	for i, d := range deliveries {
		list.Results[i] = toDelivery(d)
	}
	return list, nil
}

type deliveryList struct{ oapi.DeliveryList }

func (l *deliveryList) VisitListDeliveriesResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.DeliveryList)
}

func (l *deliveryList) VisitListHookDeliveriesResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.DeliveryList)
}

// GetDelivery reads a delivery with its attempts.
func (a *API) GetDelivery(
	ctx context.Context, request oapi.GetDeliveryRequestObject,
) (oapi.GetDeliveryResponseObject, error) {
	d, attempts, err := a.Hooks.Delivery(ctx, request.ID)
	shown := toDelivery(d)
	shown.Attempts = new(make([]oapi.Attempt, len(attempts)))
	for i, t := range attempts {
		(*shown.Attempts)[i] = toAttempt(t)
	}
	return oapi.GetDelivery200JSONResponse(shown), err
}

// Redeliver sends a delivery again.
func (a *API) Redeliver(
	ctx context.Context, request oapi.RedeliverRequestObject,
) (oapi.RedeliverResponseObject, error) {
	d, err := a.Hooks.Redeliver(ctx, request.ID)
	return oapi.Redeliver202JSONResponse(toDelivery(d)), err
}

func toDelivery(d hook.Delivery) oapi.Delivery {
	shown := oapi.Delivery{
		ID: d.ID, HookID: optional.OrNil(d.HookID), ItemID: d.ItemID, Cursor: d.Cursor, Event: oapi.HookEvent(d.Event),
		Trigger: d.Trigger, Revision: d.Revision, State: oapi.DeliveryState(d.State), WaitsFor: (*string)(d.WaitsFor),
		NextAttemptAt: d.NextAttemptAt, AttemptCount: int32(d.Attempts), LastAttemptAt: d.LastAttemptAt,
		LastStatus: d.LastStatus, LastFault: d.LastFault, LastError: d.LastError, CreatedAt: d.CreatedAt,
		OccurredAt: d.OccurredAt,
	}
	if d.Task != nil {
		shown.Workflow = &oapi.DeliveryWorkflow{RunID: d.Task.RunID, Task: d.Task.Task}
	}
	return shown
}

func toAttempt(t hook.Attempt) oapi.Attempt {
	shown := oapi.Attempt{
		Number: int32(t.Number), At: t.At, Trigger: t.Trigger, Succeeded: t.Succeeded, Status: t.Status,
		Fault: t.Fault, Error: t.Error, Response: t.Response,
	}
	if t.Duration != nil {
		shown.DurationMs = new(milliseconds(*t.Duration))
	}
	return shown
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
