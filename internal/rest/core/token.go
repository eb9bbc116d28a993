package core

import (
	"context"
	"encoding/json"
	"net/http"

	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
	"itemcast/internal/token"
)

// ListTokens lists access tokens, newest first.
func (a *API) ListTokens(
	ctx context.Context, request oapi.ListTokensRequestObject,
) (oapi.ListTokensResponseObject, error) {
	p := request.Params
	tokens, next, err := a.Tokens.List(ctx, p.UserID, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := tokenList{TokenList: oapi.TokenList{Results: make([]oapi.Token, len(tokens)), Next: a.nextURL(ctx, next)}}
	for i, t := range tokens {
		if list.Results[i], err = toToken(t); err != nil {
			return nil, err
		}
	}
	return list, nil
}

type tokenList struct{ oapi.TokenList }

func (l tokenList) VisitListTokensResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.TokenList)
}

// CreateToken creates an access token. Only this response shows its secret.
func (a *API) CreateToken(
	ctx context.Context, request oapi.CreateTokenRequestObject,
) (oapi.CreateTokenResponseObject, error) {
	t, secret, err := a.Tokens.Create(ctx, *request.Body)
	if err != nil {
		return nil, err
	}
	created, err := toToken(t)
	created.Secret = secret
	return oapi.CreateToken201JSONResponse{
		Body:    created,
		Headers: oapi.CreateToken201ResponseHeaders{ETag: etag(t.Revision), Location: a.location("tokens", t.ID)},
	}, err
}

// GetToken reads an access token.
func (a *API) GetToken(ctx context.Context, request oapi.GetTokenRequestObject) (oapi.GetTokenResponseObject, error) {
	t, err := a.Tokens.Get(ctx, request.ID)
	if err != nil {
		return nil, err
	}
	shown, err := toToken(t)
	return oapi.GetToken200JSONResponse{
		Body: shown, Headers: oapi.GetToken200ResponseHeaders{ETag: etag(t.Revision)},
	}, err
}

// PatchToken applies a merge patch to an access token.
func (a *API) PatchToken(
	ctx context.Context, request oapi.PatchTokenRequestObject,
) (oapi.PatchTokenResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	t, err := a.Tokens.Patch(ctx, request.ID, *request.Body, condition)
	if err != nil {
		return nil, err
	}
	shown, err := toToken(t)
	return oapi.PatchToken200JSONResponse{
		Body: shown, Headers: oapi.PatchToken200ResponseHeaders{ETag: etag(t.Revision)},
	}, err
}

// RevokeToken deletes an access token.
func (a *API) RevokeToken(
	ctx context.Context, request oapi.RevokeTokenRequestObject,
) (oapi.RevokeTokenResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.RevokeToken204Response{}, a.Tokens.Revoke(ctx, request.ID, condition)
}

// RotateToken gives an access token a new secret. Only this response shows it.
func (a *API) RotateToken(
	ctx context.Context, request oapi.RotateTokenRequestObject,
) (oapi.RotateTokenResponseObject, error) {
	revoke := request.Body != nil && optional.OrZero(request.Body.Revoke)
	secret, until, err := a.Tokens.Rotate(ctx, request.ID, revoke)
	return oapi.RotateToken200JSONResponse{Secret: secret, OldSecretUntil: until}, err
}

func toToken(t token.Token) (oapi.Token, error) {
	shown := oapi.Token{
		ID: t.ID, Name: t.Name, UserID: t.UserID, User: t.User, Permissions: convert[oapi.Permission](t.Permissions),
		Origins: t.Origins, RequestsPerMinute: t.RequestsPerMinute, ExpiresAt: t.ExpiresAt,
		OldSecretUntil: t.OldSecretUntil, LastUsedOn: optional.OrNil(t.LastUsedOn),
		LastUsedFrom: optional.OrNil(t.LastUsedFrom), RequestsLastDay: t.RequestsLastDay, CreatedBy: t.CreatedBy,
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, Revision: t.Revision,
	}
	if t.Filter == nil {
		return shown, nil
	}
	filter, err := json.Marshal(t.Filter)
	shown.Filter = new(json.RawMessage(filter))
	return shown, err
}
