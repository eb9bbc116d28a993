package graph

import (
	"context"

	"github.com/google/uuid"

	"itemcast/graph/internal/model"
	"itemcast/internal/item"
)

func toField(f item.Field) *model.MetadataField {
	return &model.MetadataField{
		ID: f.ID, Key: f.Key, Label: f.Label, Description: f.Description, Kind: toEnum[model.MetadataKind](f.Kind),
		Choices: f.Choices, Required: f.Required, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
		Revision: f.Revision,
	}
}

// metadataField returns a metadata field; nil if there is none.
func (r *Resolver) metadataField(ctx context.Context, id uuid.UUID) (*model.MetadataField, error) {
	field, err := nilIfNotFound(r.Items.Field(ctx, id))
	if field == nil || err != nil {
		return nil, err
	}
	return toField(*field), nil
}
