package core

import (
	"context"

	"itemcast/internal/item"
	"itemcast/internal/mergepatch"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/internal/revision"
)

// ListMetadataFields lists the account's metadata fields, by key.
func (a *API) ListMetadataFields(
	ctx context.Context, _ oapi.ListMetadataFieldsRequestObject,
) (oapi.ListMetadataFieldsResponseObject, error) {
	fields, err := a.Items.Fields(ctx)
	results := make([]oapi.MetadataField, len(fields))
	for i, f := range fields {
		results[i] = toField(f)
	}
	return oapi.ListMetadataFields200JSONResponse{Results: results}, err
}

// CreateMetadataField creates a metadata field.
func (a *API) CreateMetadataField(
	ctx context.Context, request oapi.CreateMetadataFieldRequestObject,
) (oapi.CreateMetadataFieldResponseObject, error) {
	in := request.Body
	f, err := a.Items.CreateField(ctx, item.Field{
		Key: in.Key, Kind: string(in.Kind), Label: in.Label, Description: in.Description, Choices: in.Choices,
		Required: in.Required,
	})
	return oapi.CreateMetadataField201JSONResponse{
		Body: toField(f),
		Headers: oapi.CreateMetadataField201ResponseHeaders{
			ETag: etag(f.Revision), Location: a.location("metadata-fields", f.ID),
		},
	}, err
}

// GetMetadataField reads a metadata field.
func (a *API) GetMetadataField(
	ctx context.Context, request oapi.GetMetadataFieldRequestObject,
) (oapi.GetMetadataFieldResponseObject, error) {
	f, err := a.Items.Field(ctx, request.ID)
	return oapi.GetMetadataField200JSONResponse{
		Body: toField(f), Headers: oapi.GetMetadataField200ResponseHeaders{ETag: etag(f.Revision)},
	}, err
}

// PatchMetadataField applies a merge patch to a metadata field.
func (a *API) PatchMetadataField(
	ctx context.Context, request oapi.PatchMetadataFieldRequestObject,
) (oapi.PatchMetadataFieldResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	patch, err := mergepatch.Read[item.FieldPatch](*request.Body)
	if err != nil {
		return nil, err
	}
	f, err := a.Items.PatchField(ctx, request.ID, patch, condition)
	return oapi.PatchMetadataField200JSONResponse{
		Body: toField(f), Headers: oapi.PatchMetadataField200ResponseHeaders{ETag: etag(f.Revision)},
	}, err
}

// DeleteMetadataField deletes a metadata field.
func (a *API) DeleteMetadataField(
	ctx context.Context, request oapi.DeleteMetadataFieldRequestObject,
) (oapi.DeleteMetadataFieldResponseObject, error) {
	condition, err := revision.IfMatch(request.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	return oapi.DeleteMetadataField204Response{}, a.Items.DeleteField(ctx, request.ID, condition)
}

func toField(f item.Field) oapi.MetadataField {
	return oapi.MetadataField{
		ID: f.ID, Key: f.Key, Label: f.Label, Description: f.Description, Kind: oapi.MetadataKind(f.Kind),
		Choices: f.Choices, Required: f.Required, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt, Revision: f.Revision,
	}
}
