package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
)

// ListItems lists items. The response consists of their documents.
func (a *API) ListItems(
	ctx context.Context, request oapi.ListItemsRequestObject,
) (oapi.ListItemsResponseObject, error) {
	p, r := request.Params, requestFrom(ctx)
	if p.After != nil && p.Before != nil {
		return nil, problem.Invalid(problem.InvalidInput,
			problem.Fault{Parameter: "before", Detail: "must not be given together with after"})
	}
	filter := itemFilter(r, oapi.ExportItemsParams{
		Search: p.Search, Tags: p.Tags, Type: p.Type, Privacy: p.Privacy, WorkflowStatus: p.WorkflowStatus,
		CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter,
	})
	page, err := a.Items.List(ctx, filter, item.Paging{
		Sort: item.Sort(optional.OrZero(p.Sort)), Limit: pageSize(p.Limit), After: optional.OrZero(p.After),
		Before: optional.OrZero(p.Before), Count: optional.OrZero(p.Count),
	})
	if err != nil {
		return nil, err
	}
	list := &itemList{page: page}
	if n := len(page.Items); n > 0 {
		if page.HasNext {
			list.next = a.pageURL(r, "after", page.Items[n-1].PageToken())
		}
		if page.HasPrevious {
			list.previous = a.pageURL(r, "before", page.Items[0].PageToken())
		}
	}
	return list, nil
}

type itemList struct {
	page           item.Page
	next, previous *string
}

// bodies holds the buffers of list responses for reuse. They are large, and similar in size.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (l *itemList) VisitListItemsResponse(w http.ResponseWriter) error {
	size := 512
	for _, i := range l.page.Items {
		size += len(i.Document) + 1
	}
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	body.Grow(size)
	body.WriteString(`{"results":[`)
	for n, i := range l.page.Items {
		if n > 0 {
			body.WriteByte(',')
		}
		body.Write(i.Document)
	}
	body.WriteByte(']')
	for _, member := range []struct {
		name string
		url  *string
	}{{"next", l.next}, {"previous", l.previous}} {
		raw, err := plainjson.Marshal(member.url)
		if err != nil {
			return err
		}
		body.WriteString(`,"` + member.name + `":`)
		body.Write(raw)
	}
	if l.page.Count != nil {
		body.WriteString(`,"count":` + strconv.FormatInt(*l.page.Count, 10))
	}
	body.WriteByte('}')

	setLinks(w, l.next, l.previous)
	w.Header().Set("Itemcast-Change-Cursor", l.page.ChangeCursor)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	_, err := w.Write(body.Bytes())
	return err
}

// CreateItem creates an item.
func (a *API) CreateItem(
	ctx context.Context, request oapi.CreateItemRequestObject,
) (oapi.CreateItemResponseObject, error) {
	created, err := a.Items.Create(ctx, *request.Body)
	if err != nil {
		return nil, err
	}
	var document struct{ URL string }
	if err := json.Unmarshal(created.Bytes, &document); err != nil {
		return nil, fmt.Errorf("decode the new document: %w", err)
	}
	return documentResponse{Document: created, status: http.StatusCreated, location: document.URL}, nil
}

// GetItem reads an item.
func (a *API) GetItem(ctx context.Context, request oapi.GetItemRequestObject) (oapi.GetItemResponseObject, error) {
	document, err := a.Items.Get(ctx, request.ID)
	if err != nil {
		return nil, err
	}
	etag := revision.RenderingETag(document.Revision, document.Rendering)
	if revision.IfNoneMatch(request.Params.IfNoneMatch, etag) {
		return notModified(etag), nil
	}
	return documentResponse{Document: document, status: http.StatusOK}, nil
}

// ReplaceItem sets every field of an item.
func (a *API) ReplaceItem(
	ctx context.Context, request oapi.ReplaceItemRequestObject,
) (oapi.ReplaceItemResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	changed, err := a.Items.Replace(ctx, request.ID, *request.Body, condition)
	return documentResponse{Document: changed, status: http.StatusOK}, err
}

// PatchItem applies a merge patch to an item.
func (a *API) PatchItem(
	ctx context.Context, request oapi.PatchItemRequestObject,
) (oapi.PatchItemResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	changed, err := a.Items.Patch(ctx, request.ID, *request.Body, condition)
	return documentResponse{Document: changed, status: http.StatusOK}, err
}

// DeleteItem deletes an item.
func (a *API) DeleteItem(
	ctx context.Context, request oapi.DeleteItemRequestObject,
) (oapi.DeleteItemResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.DeleteItem204Response{}, a.Items.Delete(ctx, request.ID, condition)
}

// TriggerItemHook sends an item to the hooks that receive manual triggers.
func (a *API) TriggerItemHook(
	ctx context.Context, request oapi.TriggerItemHookRequestObject,
) (oapi.TriggerItemHookResponseObject, error) {
	triggered, err := a.Hooks.Trigger(ctx, request.ID)
	return oapi.TriggerItemHook202JSONResponse{
		ItemID: request.ID, Revision: triggered.Revision, Hooks: triggered.Hooks,
	}, err
}
