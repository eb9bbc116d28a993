package core

import (
	"context"
	"encoding/json"
	"net/http"

	"itemcast/internal/contract"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/upload"
)

// withReturned lets a client send back what GET returned: members that only the server sets must be as they are now.
func (a *API) withReturned(next oapi.StrictHandlerFunc, _ string) oapi.StrictHandlerFunc {
	return func(ctx context.Context, w http.ResponseWriter, r *http.Request, request any) (any, error) {
		if returned := contract.ReturnedIn(ctx); returned != nil {
			present, err := a.present(ctx, request)
			if err != nil {
				return nil, err
			}
			if err := returned.Check(present); err != nil {
				return nil, err
			}
		}
		return next(ctx, w, r, request)
	}
}

// present returns the present representation of what a request changes.
func (a *API) present(ctx context.Context, request any) ([]byte, error) {
	switch request := request.(type) {
	case oapi.ReplaceItemRequestObject:
		document, err := a.Items.Get(ctx, request.ID)
		return document.Bytes, err
	case oapi.PatchItemRequestObject:
		document, err := a.Items.Get(ctx, request.ID)
		return document.Bytes, err
	case oapi.PatchMetadataFieldRequestObject:
		f, err := a.Items.Field(ctx, request.ID)
		return encode(toField(f), err)
	case oapi.PatchHookRequestObject:
		h, err := a.Hooks.Get(ctx, request.ID)
		if err != nil {
			return nil, err
		}
		shown, err := toHook(h)
		return encode(shown, err)
	case oapi.PatchTokenRequestObject:
		t, err := a.Tokens.Get(ctx, request.ID)
		if err != nil {
			return nil, err
		}
		shown, err := toToken(t)
		return encode(shown, err)
	case oapi.PatchAccountRequestObject:
		s, err := a.Account.Settings(ctx)
		return encode(toAccount(s, upload.Usage{}), err) // the usage is not compared
	case oapi.PatchUserRequestObject:
		u, err := a.Account.User(ctx, request.ID)
		return encode(toUser(u), err)
	case oapi.PatchRoleRequestObject:
		r, err := a.Account.Role(ctx, request.ID)
		return encode(toRole(r), err)
	case oapi.PatchWorkflowProfileRequestObject:
		p, err := a.Workflows.Profile(ctx, request.ID)
		return encode(oapi.WorkflowProfile(p), err)
	}
	return []byte("{}"), nil // every member counts as changed
}

func encode(representation any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(representation)
}
