package core

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	"itemcast/internal/optional"

	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
)

const defaultPage = 50

// ListItems lists items; their documents are concatenated as they are.
func (a *API) ListItems(ctx context.Context, request oapi.ListItemsRequestObject) (oapi.ListItemsResponseObject, error) {
	p := request.Params
	filter := item.Filter{
		Search: optional.OrZero(p.Search), Tags: optional.OrZero(p.Tags), Types: optional.OrZero(p.Type), Privacies: optional.OrZero(p.Privacy),
		WorkflowStatuses: optional.OrZero(p.WorkflowStatus), CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore, UpdatedAfter: p.UpdatedAfter,
		Metadata: metadataCriteria(requestFrom(ctx)),
	}
	limit := limitOf(p.Limit)
	if p.After != nil && p.Before != nil {
		return nil, problem.Invalid(problem.InvalidInput, problem.Fault{Parameter: "before", Detail: "must not be given together with after"})
	}
	page, err := a.Items.List(ctx, filter, item.Paging{Sort: item.Sort(optional.OrZero(p.Sort)), Limit: limit, After: optional.OrZero(p.After), Before: optional.OrZero(p.Before)})
	if err != nil {
		return nil, err
	}
	list := &itemList{page: page}
	if n := len(page.Items); n > 0 {
		if page.HasNext {
			list.next = a.pageURL(requestFrom(ctx), "after", page.Items[n-1].PageToken())
		}
		if page.HasPrevious {
			list.previous = a.pageURL(requestFrom(ctx), "before", page.Items[0].PageToken())
		}
	}
	if optional.OrZero(p.Count) {
		count, err := a.Items.Count(ctx, filter)
		if err != nil {
			return nil, err
		}
		list.count = &count
	}
	return list, nil
}

type itemList struct {
	page           item.Page
	next, previous *string
	count          *int64
}

// bodies are lists' bodies that have been sent: they are large, and each is as large as the last.
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
		raw, err := json.Marshal(member.url)
		if err != nil {
			return err
		}
		body.WriteString(`,"` + member.name + `":`)
		body.Write(raw)
	}
	if l.count != nil {
		body.WriteString(`,"count":` + strconv.FormatInt(*l.count, 10))
	}
	body.WriteByte('}')

	setLinks(w, l.next, l.previous)
	w.Header().Set("Itemcast-Change-Cursor", l.page.ChangeCursor)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	_, err := w.Write(body.Bytes())
	return err
}

// CreateItem makes an item.
func (a *API) CreateItem(ctx context.Context, request oapi.CreateItemRequestObject) (oapi.CreateItemResponseObject, error) {
	made, err := a.Items.Create(ctx, *request.Body)
	if err != nil {
		return nil, err
	}
	var id struct{ URL string }
	if err := json.Unmarshal(made.Bytes, &id); err != nil {
		return nil, err
	}
	return document{Document: made, status: http.StatusCreated, location: id.URL}, nil
}

// GetItem reads an item.
func (a *API) GetItem(ctx context.Context, request oapi.GetItemRequestObject) (oapi.GetItemResponseObject, error) {
	got, err := a.Items.Get(ctx, request.ID)
	if err != nil {
		return nil, err
	}
	if revision.IfNoneMatch(request.Params.IfNoneMatch, got.Revision) {
		return notModified(got.Revision), nil
	}
	return document{Document: got, status: http.StatusOK}, nil
}

// ReplaceItem sets every field of an item.
func (a *API) ReplaceItem(ctx context.Context, request oapi.ReplaceItemRequestObject) (oapi.ReplaceItemResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	changed, err := a.Items.Replace(ctx, request.ID, *request.Body, condition)
	return document{Document: changed, status: http.StatusOK}, err
}

// PatchItem applies a merge patch to an item.
func (a *API) PatchItem(ctx context.Context, request oapi.PatchItemRequestObject) (oapi.PatchItemResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	changed, err := a.Items.Patch(ctx, request.ID, *request.Body, condition)
	return document{Document: changed, status: http.StatusOK}, err
}

// DeleteItem deletes an item.
func (a *API) DeleteItem(ctx context.Context, request oapi.DeleteItemRequestObject) (oapi.DeleteItemResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.DeleteItem204Response{}, a.Items.Delete(ctx, request.ID, condition)
}

// TriggerItemHook sends an item by hand.
func (a *API) TriggerItemHook(ctx context.Context, request oapi.TriggerItemHookRequestObject) (oapi.TriggerItemHookResponseObject, error) {
	triggered, err := a.Hooks.Trigger(ctx, request.ID)
	return oapi.TriggerItemHook202JSONResponse{ItemID: request.ID, Revision: triggered.Revision, Hooks: triggered.Hooks}, err
}

// ListTags lists the tags in use.
func (a *API) ListTags(ctx context.Context, _ oapi.ListTagsRequestObject) (oapi.ListTagsResponseObject, error) {
	tags, err := a.Items.Tags(ctx)
	results := make([]oapi.Tag, len(tags))
	for i, tag := range tags {
		results[i] = oapi.Tag(tag)
	}
	return oapi.ListTags200JSONResponse{Results: results}, err
}

// metadataCriteria reads the parameters metadata.KEY, which OpenAPI cannot name one by one.
func metadataCriteria(r *http.Request) map[string]string {
	const prefix = "metadata."
	var criteria map[string]string
	for name, values := range r.URL.Query() {
		if len(name) > len(prefix) && name[:len(prefix)] == prefix && len(values) > 0 {
			if criteria == nil {
				criteria = map[string]string{}
			}
			criteria[name[len(prefix):]] = values[0]
		}
	}
	return criteria
}
