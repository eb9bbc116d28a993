package core

import (
	"context"

	"itemcast/internal/account"
	"itemcast/internal/mergepatch"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
)

// GetAccount reads the account's settings.
func (a *API) GetAccount(
	ctx context.Context, request oapi.GetAccountRequestObject,
) (oapi.GetAccountResponseObject, error) {
	s, err := a.Account.Settings(ctx)
	if err != nil {
		return nil, err
	}
	if tag := revision.ETag(s.Revision); revision.IfNoneMatch(request.Params.IfNoneMatch, tag) {
		return notModified(tag), nil
	}
	return oapi.GetAccount200JSONResponse{
		Body: oapi.Account(s), Headers: oapi.GetAccount200ResponseHeaders{ETag: etag(s.Revision)},
	}, nil
}

// PatchAccount applies a merge patch to the account's settings.
func (a *API) PatchAccount(
	ctx context.Context, request oapi.PatchAccountRequestObject,
) (oapi.PatchAccountResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := mergepatch.Read[account.SettingsPatch](*request.Body)
	if err != nil {
		return nil, err
	}
	s, err := a.Account.PatchSettings(ctx, patch, condition)
	return oapi.PatchAccount200JSONResponse{
		Body: oapi.Account(s), Headers: oapi.PatchAccount200ResponseHeaders{ETag: etag(s.Revision)},
	}, err
}
