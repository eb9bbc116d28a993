package graph

import (
	"strconv"

	"itemcast/graph/internal/model"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

func toField(f item.Field) *model.MetadataField {
	return &model.MetadataField{ID: f.ID, Key: f.Key, Label: f.Label, Description: f.Description, Kind: toEnum[model.MetadataKind](f.Kind),
		Choices: f.Choices, Required: f.Required, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt}
}

func orZero[T any](value *T) (zero T) {
	if value == nil {
		return zero
	}
	return *value
}

// historyPosition reads what ItemHistory.next gave out: the id of the last change told.
func historyPosition(after *string) (int64, error) {
	if after == nil {
		return 0, nil
	}
	id, err := strconv.ParseInt(*after, 10, 64)
	if err != nil || id < 1 {
		return 0, problem.New(problem.InvalidCursor, "The position is not one of this history; take it from next.")
	}
	return id, nil
}
