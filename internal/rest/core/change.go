package core

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"itemcast/internal/accept"
	"itemcast/internal/account"
	"itemcast/internal/live"
	"itemcast/internal/live/sse"
	"itemcast/internal/optional"
	"itemcast/internal/plainjson"
	"itemcast/internal/rest/core/internal/oapi"
)

// pageTimeout is the time in which a client must read a page of changes. It starts when the page is complete, however
// long that waited for the first change.
const pageTimeout = 60 * time.Second

// ListChanges returns the changes that follow a cursor in the log, as a page or as a stream.
func (a *API) ListChanges(
	ctx context.Context, request oapi.ListChangesRequestObject,
) (oapi.ListChangesResponseObject, error) {
	p, r := request.Params, requestFrom(ctx)
	streams := accept.Preferred(r.Header["Accept"], "application/json", sse.ContentType) == sse.ContentType
	after := optional.OrZero(p.After)
	if streams && optional.OrZero(p.LastEventID) != "" {
		after = *p.LastEventID // an EventSource that reconnects repeats the old URL, and names its last event here
	}
	subscribe := a.subscribe(r, p)
	if streams {
		return a.changeStream(ctx, r, after, subscribe)
	}
	subscription, err := subscribe(ctx, after)
	if err != nil {
		return nil, err
	}
	return a.changePage(ctx, subscription, pageSize(p.Limit), time.Duration(optional.OrZero(p.Wait))*time.Second)
}

type subscribe func(ctx context.Context, after string) (*live.Subscription, error)

// subscribe returns the function that opens a subscription with the request's filters, after a cursor.
func (a *API) subscribe(r *http.Request, p oapi.ListChangesParams) subscribe {
	selected := itemFilter(r, oapi.ExportItemsParams{
		Search: p.Search, Tags: p.Tags, Type: p.Type, Privacy: p.Privacy, WorkflowStatus: p.WorkflowStatus,
		CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter,
	})
	filter := &selected
	if reflect.ValueOf(selected).IsZero() {
		filter = nil // matches every item without examining it
	}
	return func(ctx context.Context, after string) (*live.Subscription, error) {
		subscription, err := a.Hub.Subscribe(ctx, after, filter, convert[live.Kind](optional.OrZero(p.Kinds)))
		if err != nil {
			return nil, err
		}
		subscription.Only(optional.OrZero(p.ID), convert[string](optional.OrZero(p.ChangedFields)))
		return subscription, nil
	}
}

// changePage returns the next changes of a subscription. If there are none, it waits for the first one. When the server
// shuts down, it returns at once.
func (a *API) changePage(
	ctx context.Context, subscription *live.Subscription, limit int, wait time.Duration,
) (*changePage, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(wait)
	events, more, err := subscription.Read(ctx, limit)
	for err == nil && len(events) == 0 && !more && ctx.Err() == nil && time.Now().Before(end) {
		if actor, err = a.await(ctx, actor, subscription, end); err == nil && ctx.Err() == nil {
			events, more, err = subscription.Read(ctx, limit)
		}
	}
	if err != nil {
		return nil, err
	}
	cursor := subscription.Checkpoint()
	page := &changePage{oapi.ChangePage{
		Results: make([]oapi.Change, len(events)), Cursor: cursor, More: more,
		Next: *a.pageURL(requestFrom(ctx), "after", cursor),
	}}
	for i, e := range events {
		page.Results[i] = eventChange(e)
	}
	return page, nil
}

// await waits until the log has changes, the actor's permissions change, or the time ends. It then gives the
// subscription the current permissions, and returns the actor who has them. If the actor loses access meanwhile, it
// returns the reason at once, as a stream would.
func (a *API) await(
	ctx context.Context, actor account.Actor, subscription *live.Subscription, end time.Time,
) (account.Actor, error) {
	waiting, stop := context.WithDeadline(ctx, end)
	defer stop()
	lost := make(chan error, 1)
	defer a.Watch(actor, func(reason error) {
		lost <- reason
		stop()
	})()
	_ = subscription.Wait(waiting) // fails only when the context ends
	select {
	case reason := <-lost:
		if reason != nil {
			return actor, reason
		}
	default:
	}
	if ctx.Err() != nil { // the server shuts down, or the client has disconnected
		return actor, nil
	}
	identified, err := a.Identify(requestFrom(ctx))
	if err != nil {
		return actor, err
	}
	if err := subscription.Renew(identified); err != nil {
		return actor, err
	}
	actor, _ = account.ActorFrom(identified)
	return actor, nil
}

type changePage struct{ oapi.ChangePage }

func (p *changePage) VisitListChangesResponse(w http.ResponseWriter) error {
	body, err := plainjson.Marshal(p.ChangePage)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pageTimeout)) // fails only without a connection
	setLinks(w, &p.Next, nil)
	setUncached(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

// setUncached prevents caching: the changes at a URL grow, and its Accept decides on their form.
func setUncached(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
}

func eventChange(e *live.Event) oapi.Change {
	return oapi.Change{
		Cursor: e.Cursor, Kind: oapi.ChangeKind(e.Kind), Revision: e.Revision, ChangedFields: e.ChangedFields,
		OccurredAt: e.OccurredAt, Actor: e.Actor, Trigger: e.Trigger, Document: e.Document,
	}
}
