package core

import (
	"context"
	"net/http"

	"itemcast/internal/account"
	"itemcast/internal/mergepatch"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
)

// ListUsers lists the account's users, newest first.
func (a *API) ListUsers(
	ctx context.Context, request oapi.ListUsersRequestObject,
) (oapi.ListUsersResponseObject, error) {
	p := request.Params
	users, next, err := a.Account.Users(ctx, account.UserFilter{
		Search: optional.OrZero(p.Search), RoleID: p.RoleID, Kind: (*string)(p.Kind), Active: p.Active,
	}, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := userList{oapi.UserList{Results: make([]oapi.User, len(users)), Next: a.nextURL(ctx, next)}}
	for i, u := range users {
		list.Results[i] = toUser(u)
	}
	return list, nil
}

type userList struct{ oapi.UserList }

func (l userList) VisitListUsersResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.UserList)
}

// CreateUser creates a user. Only this response shows a generated password.
func (a *API) CreateUser(
	ctx context.Context, request oapi.CreateUserRequestObject,
) (oapi.CreateUserResponseObject, error) {
	in := request.Body
	u, password, err := a.Account.CreateUser(ctx, account.UserInput{
		Email: in.Email, Name: in.Name, Kind: string(in.Kind), RoleID: in.RoleID, Password: in.Password,
		Active: in.Active, GeneratePassword: in.GeneratePassword,
		DefaultWorkflowProfileID: in.DefaultWorkflowProfileID,
	})
	return oapi.CreateUser201JSONResponse{
		Body: oapi.NewUser{
			ID: u.ID, Email: u.Email, Name: u.Name, Kind: oapi.UserKind(u.Kind), RoleID: u.RoleID, Role: u.Role,
			Active: u.Active, HasPassword: u.HasPassword, Password: optional.OrNil(password),
			DefaultWorkflowProfileID: u.DefaultWorkflowProfileID, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
			Revision: u.Revision,
		},
		Headers: oapi.CreateUser201ResponseHeaders{ETag: etag(u.Revision), Location: a.location("users", u.ID)},
	}, err
}

// GetUser reads a user.
func (a *API) GetUser(ctx context.Context, request oapi.GetUserRequestObject) (oapi.GetUserResponseObject, error) {
	u, err := a.Account.User(ctx, request.ID)
	return oapi.GetUser200JSONResponse{
		Body: toUser(u), Headers: oapi.GetUser200ResponseHeaders{ETag: etag(u.Revision)},
	}, err
}

// PatchUser applies a merge patch to a user.
func (a *API) PatchUser(
	ctx context.Context, request oapi.PatchUserRequestObject,
) (oapi.PatchUserResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := mergepatch.Read[account.UserPatch](*request.Body)
	if err != nil {
		return nil, err
	}
	u, err := a.Account.PatchUser(ctx, request.ID, patch, condition)
	return oapi.PatchUser200JSONResponse{
		Body: toUser(u), Headers: oapi.PatchUser200ResponseHeaders{ETag: etag(u.Revision)},
	}, err
}

// DeleteUser deletes a user.
func (a *API) DeleteUser(
	ctx context.Context, request oapi.DeleteUserRequestObject,
) (oapi.DeleteUserResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.DeleteUser204Response{}, a.Account.DeleteUser(ctx, request.ID, condition)
}

// CreateResetLink creates a link with which a user can set a password.
func (a *API) CreateResetLink(
	ctx context.Context, request oapi.CreateResetLinkRequestObject,
) (oapi.CreateResetLinkResponseObject, error) {
	link, err := a.Account.ResetLink(ctx, request.ID)
	return oapi.CreateResetLink201JSONResponse(link), err
}

// RotatePassword gives an API user a new password.
func (a *API) RotatePassword(
	ctx context.Context, request oapi.RotatePasswordRequestObject,
) (oapi.RotatePasswordResponseObject, error) {
	password, err := a.Account.RotatePassword(ctx, request.ID)
	return oapi.RotatePassword200JSONResponse{Password: password}, err
}

func toUser(u account.User) oapi.User {
	return oapi.User{
		ID: u.ID, Email: u.Email, Name: u.Name, Kind: oapi.UserKind(u.Kind), RoleID: u.RoleID, Role: u.Role,
		Active: u.Active, HasPassword: u.HasPassword, DefaultWorkflowProfileID: u.DefaultWorkflowProfileID,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Revision: u.Revision,
	}
}
