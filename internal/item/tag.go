package item

import (
	"context"
	"fmt"

	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
)

// Tag is a tag in use, with the number of items that have it.
type Tag struct {
	Name  string
	Items int64
}

// Tags returns every tag of the items in sight, by name.
func (s *Service) Tags(ctx context.Context) ([]Tag, error) {
	sight, err := s.sightFrom(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.tagRows(ctx, sight)
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	tags := make([]Tag, len(rows))
	for i, row := range rows {
		tags[i] = Tag(row)
	}
	return tags, nil
}

func (s *Service) tagRows(ctx context.Context, sight Sight) ([]store.ListTagsRow, error) {
	q := db.Read(ctx, s.pool)
	if sight.isWhole() {
		return store.New(q).ListTags(ctx, store.ListTagsParams{AccountID: sight.account, RoleID: sight.role})
	}
	p, err := s.listParams(ctx, sight, Filter{})
	if err != nil {
		return nil, err
	}
	rows, err := store.New(customPlans{q}).ListTagsOfMatching(ctx, store.ListTagsOfMatchingParams{
		AccountID: p.AccountID, RoleID: p.RoleID, Search: p.Search, Tags: p.Tags, Types: p.Types, Privacies: p.Privacies,
		WorkflowStatuses: p.WorkflowStatuses, CreatedAfter: p.CreatedAfter, CreatedBefore: p.CreatedBefore,
		UpdatedAfter: p.UpdatedAfter, Metadata: p.Metadata, DocumentVersion: p.DocumentVersion,
		StaleSearch: p.StaleSearch,
	})
	tags := make([]store.ListTagsRow, len(rows))
	for n, row := range rows {
		tags[n] = store.ListTagsRow(row)
	}
	return tags, err
}
