package core

import (
	"context"
	"fmt"
	"hash/fnv"

	"itemcast/internal/account"
	"itemcast/internal/mergepatch"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
	"itemcast/internal/upload"
)

// GetAccount reads the account's settings.
func (a *API) GetAccount(
	ctx context.Context, request oapi.GetAccountRequestObject,
) (oapi.GetAccountResponseObject, error) {
	s, err := a.Account.Settings(ctx)
	if err != nil {
		return nil, err
	}
	usage, err := a.Uploads.Usage(ctx)
	if err != nil {
		return nil, err
	}
	tag := accountTag(s, usage)
	if revision.IfNoneMatch(request.Params.IfNoneMatch, tag) {
		return notModified(tag), nil
	}
	return oapi.GetAccount200JSONResponse{
		Body: toAccount(s, usage), Headers: oapi.GetAccount200ResponseHeaders{ETag: &tag},
	}, nil
}

func toAccount(s account.Settings, usage upload.Usage) oapi.Account {
	return oapi.Account{Name: s.Name, DefaultWorkflowProfileID: s.DefaultWorkflowProfileID,
		FrameAncestors: s.FrameAncestors, Quotas: s.Quotas, Usage: usage,
		CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, Revision: s.Revision}
}

// accountTag returns the ETag of the account. The usage changes by itself, without another revision.
func accountTag(s account.Settings, usage upload.Usage) string {
	if usage == (upload.Usage{}) {
		return revision.ETag(s.Revision)
	}
	digest := fnv.New32a()
	_, _ = fmt.Fprint(digest, usage) // never fails
	return revision.RenderingETag(s.Revision, int32(digest.Sum32()>>1))
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
	if err != nil {
		return nil, err
	}
	usage, err := a.Uploads.Usage(ctx)
	tag := accountTag(s, usage)
	return oapi.PatchAccount200JSONResponse{Body: toAccount(s, usage),
		Headers: oapi.PatchAccount200ResponseHeaders{ETag: &tag}}, err
}
