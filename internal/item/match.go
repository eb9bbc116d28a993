package item

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/item/internal/store"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
)

// Matcher reports whether single items, in a present or past state, match a filter, for streams and hooks. It agrees
// with the statements of lists: Postgres evaluates the search with the function that the index uses. Its methods may be
// called concurrently.
type Matcher struct {
	filter   Filter
	metadata map[string]any
	pool     *pgxpool.Pool
}

// NewMatcher prepares a filter for an account. Error: INVALID_INPUT for metadata without a field.
func NewMatcher(ctx context.Context, pool *pgxpool.Pool, account uuid.UUID, filter Filter) (*Matcher, error) {
	filter = filter.composed()
	m := &Matcher{filter: filter, pool: pool}
	if err := filter.faults().Err(problem.InvalidInput); err != nil {
		return nil, err
	}
	if len(filter.Metadata) == 0 {
		return m, nil
	}
	fields, err := store.New(db.Read(ctx, pool)).ListMetadataFields(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("list metadata fields: %w", err)
	}
	m.metadata, err = metadataCriteria(fields, filter.Metadata)
	return m, err
}

// Match reports whether the item matches.
func (m *Matcher) Match(ctx context.Context, i *Item) (bool, error) {
	if !m.matchColumns(i) {
		return false, nil
	}
	if m.filter.Search == "" {
		return true, nil
	}
	found, err := store.New(db.Read(ctx, m.pool)).MatchSearch(ctx, store.MatchSearchParams{
		Name: i.Name, Description: i.Description, Tags: i.Tags, Metadata: i.Metadata, Search: m.filter.Search,
	})
	if err != nil {
		return false, fmt.Errorf("match search: %w", err)
	}
	return found, nil
}

// MatchAll reports for each item whether it matches, with at most one statement.
func (m *Matcher) MatchAll(ctx context.Context, items []*Item) ([]bool, error) {
	matches := make([]bool, len(items))
	var p store.MatchSearchesParams // of the items that the search decides about
	for n, i := range items {
		if matches[n] = m.matchColumns(i); !matches[n] || m.filter.Search == "" {
			continue
		}
		tags, err := json.Marshal(i.Tags)
		if err != nil {
			return nil, fmt.Errorf("encode tags: %w", err)
		}
		matches[n] = false
		p.Places = append(p.Places, int32(n))
		p.Names, p.Descriptions = append(p.Names, i.Name), append(p.Descriptions, i.Description)
		p.Tags, p.Metadatas = append(p.Tags, tags), append(p.Metadatas, i.Metadata)
	}
	if len(p.Places) == 0 {
		return matches, nil
	}
	p.Search = m.filter.Search
	places, err := store.New(db.Read(ctx, m.pool)).MatchSearches(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("match search: %w", err)
	}
	for _, place := range places {
		matches[place] = true
	}
	return matches, nil
}

func (m *Matcher) matchColumns(i *Item) bool {
	f := &m.filter
	switch {
	case len(f.Tags) > 0 && !slices.ContainsFunc(i.Tags, func(tag string) bool {
		return slices.Contains(f.Tags, plaintext.Composed(tag)) // the log may have tags of an earlier version
	}),
		len(f.Types) > 0 && !slices.Contains(f.Types, i.Type),
		len(f.Privacies) > 0 && !slices.Contains(f.Privacies, i.Privacy),
		len(f.WorkflowStatuses) > 0 && (i.Workflow == nil || !slices.Contains(f.WorkflowStatuses, i.Workflow.Status)),
		f.CreatedAfter != nil && !i.CreatedAt.After(*f.CreatedAfter),
		f.CreatedBefore != nil && !i.CreatedAt.Before(*f.CreatedBefore),
		f.UpdatedAfter != nil && !i.UpdatedAt.After(*f.UpdatedAfter):
		return false
	}
	return m.matchMetadata(i.Metadata)
}

func (m *Matcher) matchMetadata(raw json.RawMessage) bool {
	if len(m.metadata) == 0 {
		return true
	}
	values, err := decodeObject(raw)
	if err != nil {
		return false
	}
	for key, wanted := range m.metadata { // both sides are canonical
		value, ok := values[key]
		if text, isText := value.(string); isText {
			value = plaintext.Composed(text)
		}
		if !ok || value != wanted {
			return false
		}
	}
	return true
}
