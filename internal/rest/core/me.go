package core

import (
	"context"

	"itemcast/internal/account"
	"itemcast/internal/rest/core/internal/oapi"
)

// GetMe returns the signed-in user.
func (a *API) GetMe(ctx context.Context, _ oapi.GetMeRequestObject) (oapi.GetMeResponseObject, error) {
	actor, err := account.Authorize(ctx)
	return oapi.GetMe200JSONResponse{
		ID: actor.UserID, Email: actor.ShownEmail(), Name: actor.Name, Role: actor.Role,
		Permissions: actor.Permissions.Strings(), DefaultWorkflowProfileID: actor.DefaultProfile,
	}, err
}

// ChangeMyPassword sets the user's own password.
func (a *API) ChangeMyPassword(
	ctx context.Context, request oapi.ChangeMyPasswordRequestObject,
) (oapi.ChangeMyPasswordResponseObject, error) {
	in := request.Body
	return oapi.ChangeMyPassword204Response{}, a.SignIn.ChangePassword(ctx, in.CurrentPassword, in.NewPassword)
}

// ListMySessions lists the browsers in which the user is signed in.
func (a *API) ListMySessions(
	ctx context.Context, _ oapi.ListMySessionsRequestObject,
) (oapi.ListMySessionsResponseObject, error) {
	sessions, err := a.SignIn.Sessions(ctx)
	results := make([]oapi.Session, len(sessions))
	for i, s := range sessions {
		results[i] = oapi.Session{
			ID: s.ID, Current: s.Current, Address: s.Address, UserAgent: s.UserAgent, CreatedAt: s.CreatedAt,
			UsedAt: s.UsedAt, ExpiresAt: s.ExpiresAt,
		}
	}
	return oapi.ListMySessions200JSONResponse{Results: results}, err
}

// EndMySession signs the user out in one browser.
func (a *API) EndMySession(
	ctx context.Context, request oapi.EndMySessionRequestObject,
) (oapi.EndMySessionResponseObject, error) {
	return oapi.EndMySession204Response{}, a.SignIn.EndSession(ctx, request.ID)
}

// EndMySessions signs the user out in every browser.
func (a *API) EndMySessions(
	ctx context.Context, _ oapi.EndMySessionsRequestObject,
) (oapi.EndMySessionsResponseObject, error) {
	return oapi.EndMySessions204Response{}, a.SignIn.EndSessions(ctx)
}
