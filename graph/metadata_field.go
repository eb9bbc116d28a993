package graph

import (
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
