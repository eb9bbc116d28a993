package core

import (
	"context"

	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/rest/core/internal/oapi"
)

// ListMyViews lists the user's saved views, and those that others share.
func (a *API) ListMyViews(
	ctx context.Context, _ oapi.ListMyViewsRequestObject,
) (oapi.ListMyViewsResponseObject, error) {
	views, err := a.Items.Views(ctx)
	results := make([]oapi.SavedView, len(views))
	for i, v := range views {
		results[i] = toSavedView(v)
	}
	return oapi.ListMyViews200JSONResponse{Results: results}, err
}

// SaveMyView saves a view.
func (a *API) SaveMyView(
	ctx context.Context, request oapi.SaveMyViewRequestObject,
) (oapi.SaveMyViewResponseObject, error) {
	in := request.Body
	v, err := a.Items.SaveView(ctx, item.SavedViewInput{Name: in.Name, Query: in.Query,
		Shared: optional.OrZero(in.Shared)})
	return oapi.SaveMyView201JSONResponse(toSavedView(v)), err
}

// DeleteMyView deletes a view.
func (a *API) DeleteMyView(
	ctx context.Context, request oapi.DeleteMyViewRequestObject,
) (oapi.DeleteMyViewResponseObject, error) {
	return oapi.DeleteMyView204Response{}, a.Items.DeleteView(ctx, request.ID)
}

func toSavedView(v item.SavedView) oapi.SavedView {
	return oapi.SavedView{ID: v.ID, UserID: v.UserID, Name: v.Name, Query: v.Query, Shared: v.Shared,
		CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt}
}
