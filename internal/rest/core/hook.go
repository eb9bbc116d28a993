package core

import (
	"context"
	"encoding/json"
	"net/http"

	"itemcast/internal/hook"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
)

// ListHooks lists the account's hooks, newest first.
func (a *API) ListHooks(
	ctx context.Context, request oapi.ListHooksRequestObject,
) (oapi.ListHooksResponseObject, error) {
	hooks, next, err := a.Hooks.List(ctx, pageSize(request.Params.Limit), optional.OrZero(request.Params.After))
	if err != nil {
		return nil, err
	}
	list := hookList{HookList: oapi.HookList{Results: make([]oapi.Hook, len(hooks)), Next: a.nextURL(ctx, next)}}
	for i, h := range hooks {
		if list.Results[i], err = toHook(h); err != nil {
			return nil, err
		}
	}
	return list, nil
}

type hookList struct{ oapi.HookList }

func (l hookList) VisitListHooksResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.HookList)
}

// CreateHook creates a hook. Only this response shows its secret.
func (a *API) CreateHook(
	ctx context.Context, request oapi.CreateHookRequestObject,
) (oapi.CreateHookResponseObject, error) {
	h, secret, err := a.Hooks.Create(ctx, *request.Body)
	if err != nil {
		return nil, err
	}
	created, err := toHook(h)
	created.Secret = secret
	return oapi.CreateHook201JSONResponse{
		Body:    created,
		Headers: oapi.CreateHook201ResponseHeaders{ETag: etag(h.Revision), Location: a.location("hooks", h.ID)},
	}, err
}

// GetHook reads a hook.
func (a *API) GetHook(ctx context.Context, request oapi.GetHookRequestObject) (oapi.GetHookResponseObject, error) {
	h, err := a.Hooks.Get(ctx, request.ID)
	if err != nil {
		return nil, err
	}
	shown, err := toHook(h)
	return oapi.GetHook200JSONResponse{
		Body: shown, Headers: oapi.GetHook200ResponseHeaders{ETag: etag(h.Revision)},
	}, err
}

// PatchHook applies a merge patch to a hook.
func (a *API) PatchHook(
	ctx context.Context, request oapi.PatchHookRequestObject,
) (oapi.PatchHookResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	h, err := a.Hooks.Patch(ctx, request.ID, *request.Body, condition)
	if err != nil {
		return nil, err
	}
	shown, err := toHook(h)
	return oapi.PatchHook200JSONResponse{
		Body: shown, Headers: oapi.PatchHook200ResponseHeaders{ETag: etag(h.Revision)},
	}, err
}

// DeleteHook deletes a hook.
func (a *API) DeleteHook(
	ctx context.Context, request oapi.DeleteHookRequestObject,
) (oapi.DeleteHookResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.DeleteHook204Response{}, a.Hooks.Delete(ctx, request.ID, condition)
}

// TestHook sends a sample to a hook.
func (a *API) TestHook(ctx context.Context, request oapi.TestHookRequestObject) (oapi.TestHookResponseObject, error) {
	var in oapi.HookTestInput
	if request.Body != nil {
		in = *request.Body
	}
	t, err := a.Hooks.Test(ctx, request.ID, in.ItemID, string(optional.OrZero(in.Event)))
	return oapi.TestHook200JSONResponse{
		Delivered: t.Fault == "", WebhookID: t.ID, ItemID: t.ItemID, Event: oapi.HookEvent(t.Event),
		Revision: t.Revision, Status: optional.OrNil(t.Status), DurationMs: milliseconds(t.Took),
		Fault: optional.OrNil(string(t.Fault)), Error: optional.OrNil(t.Detail), Response: optional.OrNil(t.Response),
	}, err
}

// RotateHookSecret gives a hook a new secret. Only this response shows it.
func (a *API) RotateHookSecret(
	ctx context.Context, request oapi.RotateHookSecretRequestObject,
) (oapi.RotateHookSecretResponseObject, error) {
	revoke := request.Body != nil && optional.OrZero(request.Body.Revoke)
	secret, until, err := a.Hooks.RotateSecret(ctx, request.ID, revoke)
	return oapi.RotateHookSecret200JSONResponse{Secret: secret, OldSecretUntil: until}, err
}

// GetHookReplay reads the current replay of a hook, or the last one.
func (a *API) GetHookReplay(
	ctx context.Context, request oapi.GetHookReplayRequestObject,
) (oapi.GetHookReplayResponseObject, error) {
	r, err := a.Hooks.CurrentReplay(ctx, request.ID)
	return oapi.GetHookReplay200JSONResponse(toReplay(r)), err
}

// ReplayHook starts to send past changes to a hook.
func (a *API) ReplayHook(
	ctx context.Context, request oapi.ReplayHookRequestObject,
) (oapi.ReplayHookResponseObject, error) {
	in := request.Body
	r, err := a.Hooks.Replay(ctx, request.ID, hook.ReplayFrom{
		After: in.After, Since: in.Since, Rate: int(optional.OrZero(in.Rate)),
	})
	return oapi.ReplayHook202JSONResponse(toReplay(r)), err
}

// StopHookReplay stops the replay of a hook.
func (a *API) StopHookReplay(
	ctx context.Context, request oapi.StopHookReplayRequestObject,
) (oapi.StopHookReplayResponseObject, error) {
	return oapi.StopHookReplay204Response{}, a.Hooks.StopReplay(ctx, request.ID)
}

func toHook(h hook.Hook) (oapi.Hook, error) {
	shown := oapi.Hook{
		ID: h.ID, URL: h.URL, Description: h.Description, Events: convert[oapi.HookEvent](h.Events),
		ChangedFields: h.ChangedFields, Headers: h.Headers, Body: oapi.HookBody(h.Body), RateLimit: h.RateLimit,
		MaxInFlight: h.MaxInFlight, Active: h.Active, DisabledReason: h.DisabledReason,
		OldSecretUntil: h.OldSecretUntil, LastSuccessAt: h.LastSuccessAt, LastFailureAt: h.LastFailureAt,
		FailingSince: h.FailingSince, LastError: h.LastError, Pending: h.Pending, CreatedAt: h.CreatedAt,
		UpdatedAt: h.UpdatedAt, Revision: h.Revision,
	}
	if h.Filter == nil {
		return shown, nil
	}
	filter, err := json.Marshal(h.Filter)
	shown.Filter = new(json.RawMessage(filter))
	return shown, err
}

func toReplay(r hook.Replay) oapi.Replay {
	return oapi.Replay{
		ID: r.ID, HookID: r.HookID, From: r.From, Position: r.Position, To: r.To, Since: r.Since, Rate: int32(r.Rate),
		LookedAt: r.Done, Size: r.Size, Deliveries: r.Deliveries, StartedAt: r.StartedAt, EndedAt: r.EndedAt,
		Error: r.Error,
	}
}
