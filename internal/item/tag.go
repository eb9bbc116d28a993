package item

import (
	"context"
	"fmt"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
)

// Tag is a tag in use, with the number of items that have it.
type Tag struct {
	Name  string
	Items int64
}

// Tags returns every tag in use, by name.
func (s *Service) Tags(ctx context.Context) ([]Tag, error) {
	actor, err := account.Authorize(ctx, account.ItemsView)
	if err != nil {
		return nil, err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListTags(ctx, store.ListTagsParams{
		AccountID: actor.AccountID, RoleID: actor.RoleParam(),
	})
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	tags := make([]Tag, len(rows))
	for i, row := range rows {
		tags[i] = Tag(row)
	}
	return tags, nil
}
