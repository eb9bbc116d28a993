package rest

import (
	"context"
	"encoding/json"
	"net/http"

	"itemcast/internal/hook"
	"itemcast/internal/rest/oapi"
)

// ListHooks lists the account's hooks, newest first.
func (a *API) ListHooks(ctx context.Context, request oapi.ListHooksRequestObject) (oapi.ListHooksResponseObject, error) {
	limit := defaultPage
	if request.Params.Limit != nil {
		limit = int(*request.Params.Limit)
	}
	hooks, next, err := a.Hooks.List(ctx, limit, orZero(request.Params.After))
	if err != nil {
		return nil, err
	}
	list := hookList{HookList: oapi.HookList{Results: make([]oapi.Hook, len(hooks))}}
	for i, h := range hooks {
		list.Results[i] = toHook(h)
	}
	if next != "" {
		list.Next = a.pageURL(requestFrom(ctx), "after", next)
	}
	return list, nil
}

type hookList struct{ oapi.HookList }

func (l hookList) VisitListHooksResponse(w http.ResponseWriter) error {
	setLinks(w, l.Next, nil)
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(l.HookList)
}

// CreateHook makes a hook; its secret is in this answer only.
func (a *API) CreateHook(ctx context.Context, request oapi.CreateHookRequestObject) (oapi.CreateHookResponseObject, error) {
	in := request.Body
	events := make([]string, len(in.Events))
	for i, event := range in.Events {
		events[i] = string(event)
	}
	h, secret, err := a.Hooks.Create(ctx, hook.Input{URL: in.URL, Description: in.Description, Events: events, Active: in.Active})
	if err != nil {
		return nil, err
	}
	made := toHook(h)
	return oapi.CreateHook201JSONResponse{
		Body: oapi.NewHook{ID: made.ID, URL: made.URL, Description: made.Description, Events: made.Events, Active: made.Active,
			DisabledReason: made.DisabledReason, LastSuccessAt: made.LastSuccessAt, LastFailureAt: made.LastFailureAt, LastError: made.LastError,
			Pending: made.Pending, CreatedAt: made.CreatedAt, UpdatedAt: made.UpdatedAt, Secret: secret},
		Headers: oapi.CreateHook201ResponseHeaders{Location: new(a.PublicURL + base + "/hooks/" + h.ID.String())},
	}, nil
}

// GetHook reads a hook.
func (a *API) GetHook(ctx context.Context, request oapi.GetHookRequestObject) (oapi.GetHookResponseObject, error) {
	h, err := a.Hooks.Get(ctx, request.ID)
	return oapi.GetHook200JSONResponse(toHook(h)), err
}

// DeleteHook deletes a hook.
func (a *API) DeleteHook(ctx context.Context, request oapi.DeleteHookRequestObject) (oapi.DeleteHookResponseObject, error) {
	return oapi.DeleteHook204Response{}, a.Hooks.Delete(ctx, request.ID)
}

func toHook(h hook.Hook) oapi.Hook {
	events := make([]oapi.HookEvent, len(h.Events))
	for i, event := range h.Events {
		events[i] = oapi.HookEvent(event)
	}
	return oapi.Hook{ID: h.ID, URL: h.URL, Description: h.Description, Events: events, Active: h.Active, DisabledReason: h.DisabledReason,
		LastSuccessAt: h.LastSuccessAt, LastFailureAt: h.LastFailureAt, LastError: h.LastError, Pending: h.Pending,
		CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt}
}
