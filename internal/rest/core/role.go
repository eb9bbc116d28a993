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

// ListRoles lists the account's roles, newest first.
func (a *API) ListRoles(
	ctx context.Context, request oapi.ListRolesRequestObject,
) (oapi.ListRolesResponseObject, error) {
	p := request.Params
	roles, next, err := a.Account.Roles(ctx, pageSize(p.Limit), optional.OrZero(p.After))
	if err != nil {
		return nil, err
	}
	list := roleList{oapi.RoleList{Results: make([]oapi.Role, len(roles)), Next: a.nextURL(ctx, next)}}
	for i, r := range roles {
		list.Results[i] = toRole(r)
	}
	return list, nil
}

type roleList struct{ oapi.RoleList }

func (l roleList) VisitListRolesResponse(w http.ResponseWriter) error {
	return writePage(w, l.Next, l.RoleList)
}

// CreateRole creates a role.
func (a *API) CreateRole(
	ctx context.Context, request oapi.CreateRoleRequestObject,
) (oapi.CreateRoleResponseObject, error) {
	r, err := a.Account.CreateRole(ctx, request.Body.Name, convert[string](request.Body.Permissions))
	return oapi.CreateRole201JSONResponse{
		Body:    toRole(r),
		Headers: oapi.CreateRole201ResponseHeaders{ETag: etag(r.Revision), Location: a.location("roles", r.ID)},
	}, err
}

// GetRole reads a role.
func (a *API) GetRole(ctx context.Context, request oapi.GetRoleRequestObject) (oapi.GetRoleResponseObject, error) {
	r, err := a.Account.Role(ctx, request.ID)
	return oapi.GetRole200JSONResponse{
		Body: toRole(r), Headers: oapi.GetRole200ResponseHeaders{ETag: etag(r.Revision)},
	}, err
}

// PatchRole applies a merge patch to a role.
func (a *API) PatchRole(
	ctx context.Context, request oapi.PatchRoleRequestObject,
) (oapi.PatchRoleResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := mergepatch.Read[account.RolePatch](*request.Body)
	if err != nil {
		return nil, err
	}
	r, err := a.Account.PatchRole(ctx, request.ID, patch, condition)
	return oapi.PatchRole200JSONResponse{
		Body: toRole(r), Headers: oapi.PatchRole200ResponseHeaders{ETag: etag(r.Revision)},
	}, err
}

// DeleteRole deletes a role.
func (a *API) DeleteRole(
	ctx context.Context, request oapi.DeleteRoleRequestObject,
) (oapi.DeleteRoleResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.DeleteRole204Response{}, a.Account.DeleteRole(ctx, request.ID, condition)
}

func toRole(r account.Role) oapi.Role {
	return oapi.Role{
		ID: r.ID, Name: r.Name, Permissions: append([]oapi.Permission{}, convert[oapi.Permission](r.Permissions)...),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Revision: r.Revision,
	}
}
