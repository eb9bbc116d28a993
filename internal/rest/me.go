package rest

import (
	"context"

	"itemcast/internal/account"
	"itemcast/internal/rest/oapi"
)

// GetMe tells who is signed in.
func (a *API) GetMe(ctx context.Context, _ oapi.GetMeRequestObject) (oapi.GetMeResponseObject, error) {
	actor, err := account.Authorize(ctx)
	return oapi.GetMe200JSONResponse{ID: actor.UserID, Email: actor.Email, Name: actor.Name, Role: actor.Role, Permissions: actor.Permissions.Strings()}, err
}
