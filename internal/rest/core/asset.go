package core

import (
	"context"

	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
)

// DeleteItemAsset removes an asset from an item.
func (a *API) DeleteItemAsset(
	ctx context.Context, request oapi.DeleteItemAssetRequestObject,
) (oapi.DeleteItemAssetResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	_, err = a.Items.DeleteAsset(ctx, request.ID, request.AssetID, condition)
	return oapi.DeleteItemAsset204Response{}, err
}

// DeleteItemSnapshot removes a snapshot from an item.
func (a *API) DeleteItemSnapshot(
	ctx context.Context, request oapi.DeleteItemSnapshotRequestObject,
) (oapi.DeleteItemSnapshotResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	_, err = a.Items.DeleteSnapshot(ctx, request.ID, request.SnapshotID, condition)
	return oapi.DeleteItemSnapshot204Response{}, err
}
