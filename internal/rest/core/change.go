package core

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"itemcast/internal/optional"

	"itemcast/internal/accept"
	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/live/sse"
	"itemcast/internal/rest/core/internal/oapi"
)

// pageWithin is for a client to read a page of changes, however long the page waited for the first.
const pageWithin = 60 * time.Second

// ListChanges answers with what follows a cursor in the log: a page, or the stream of it.
func (a *API) ListChanges(ctx context.Context, request oapi.ListChangesRequestObject) (oapi.ListChangesResponseObject, error) {
	p, r := request.Params, requestFrom(ctx)
	streams := accept.Preferred(r.Header["Accept"], "application/json", sse.ContentType) == sse.ContentType
	after := optional.OrZero(p.After)
	if streams && optional.OrZero(p.LastEventID) != "" {
		after = *p.LastEventID // what an EventSource that connects again has seen since the URL was written
	}
	filter := &item.Filter{
		Search: optional.OrZero(p.Search), Tags: optional.OrZero(p.Tags), Types: optional.OrZero(p.Type), Privacies: optional.OrZero(p.Privacy),
		WorkflowStatuses: optional.OrZero(p.WorkflowStatus), CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter,
		Metadata: metadataCriteria(r),
	}
	if reflect.ValueOf(*filter).IsZero() {
		filter = nil // lets all pass, without a look at each
	}
	subscribe := func(ctx context.Context, after string) (*live.Subscription, error) {
		subscription, err := a.Hub.Subscribe(ctx, after, filter, convert[live.Kind](optional.OrZero(p.Kinds)))
		if err != nil {
			return nil, err
		}
		subscription.Only(optional.OrZero(p.ID), convert[string](optional.OrZero(p.ChangedFields)))
		return subscription, nil
	}
	if streams {
		return a.changeStream(ctx, r, after, subscribe)
	}
	subscription, err := subscribe(ctx, after)
	if err != nil {
		return nil, err
	}
	limit := limitOf(p.Limit)
	return a.changePage(ctx, subscription, limit, time.Duration(optional.OrZero(p.Wait))*time.Second)
}

// changeStream follows what others follow who ask for the same.
func (a *API) changeStream(ctx context.Context, r *http.Request, after string, subscribe func(context.Context, string) (*live.Subscription, error)) (
	*changeStream, error) {
	query := r.URL.Query()
	query.Del("after")
	source := live.Source{Key: "changes?" + query.Encode(), Open: func(ctx context.Context, after string) (*live.Subscription, live.Render, error) {
		subscription, err := subscribe(ctx, after)
		return subscription, renderChange, err
	}}
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	leave, err := a.Hub.Admit(actor)
	if err != nil {
		return nil, err
	}
	follower, err := a.Hub.Follow(ctx, source, after)
	if err != nil {
		leave()
		return nil, err
	}
	return &changeStream{api: a, request: r, source: source, follower: follower, leave: leave}, nil
}

// changePage is the next events of a subscription; when there is none, it waits for the first. A server that shuts down answers at once.
func (a *API) changePage(ctx context.Context, subscription *live.Subscription, limit int, wait time.Duration) (*changePage, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	events, more, err := subscription.Read(ctx, limit)
	for err == nil && len(events) == 0 && !more && waiting.Err() == nil && subscription.Wait(waiting) == nil {
		if err = a.renew(subscription, requestFrom(ctx)); err == nil {
			events, more, err = subscription.Read(ctx, limit)
		}
	}
	if err != nil {
		return nil, err
	}
	cursor := subscription.Cursor()
	page := &changePage{ChangePage: oapi.ChangePage{Results: make([]oapi.Change, len(events)), Cursor: cursor, More: more,
		Next: *a.pageURL(requestFrom(ctx), "after", cursor)}}
	for i, e := range events {
		page.Results[i] = eventChange(e)
	}
	return page, nil
}

// renew has a subscription go on with what its user may do now.
func (a *API) renew(subscription *live.Subscription, r *http.Request) error {
	ctx, err := a.Identify(r)
	if err != nil {
		return err
	}
	return subscription.Renew(ctx)
}

type changePage struct{ oapi.ChangePage }

func (p *changePage) VisitListChangesResponse(w http.ResponseWriter) error {
	body, err := json.Marshal(p.ChangePage)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pageWithin)) // fails only where there is no connection
	setLinks(w, &p.Next, nil)
	setUncached(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, err = w.Write(body)
	return err
}

// setUncached keeps what goes on changing, and comes in two forms, out of caches.
func setUncached(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept")
}

func eventChange(e *live.Event) oapi.Change {
	return oapi.Change{Cursor: e.Cursor, Kind: oapi.ChangeKind(e.Kind), Revision: e.Revision, ChangedFields: e.ChangedFields,
		OccurredAt: e.OccurredAt, Actor: e.Actor, Trigger: e.Trigger, Document: e.Document}
}

func convert[To, From ~string](values []From) []To {
	var out []To
	for _, value := range values {
		out = append(out, To(value))
	}
	return out
}
