package item

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/db"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/search"
)

// Matcher reports whether single items, in a present or past state, match a filter, for streams and hooks. It agrees
// with the statements of lists: package search makes the words for both. Its methods may be called concurrently.
type Matcher struct {
	filter   Filter
	metadata map[string]any
	query    *search.Query // nil: no search
}

// NewMatcher prepares a filter for an account. Error: INVALID_INPUT for metadata without a field.
func NewMatcher(ctx context.Context, pool *pgxpool.Pool, account uuid.UUID, filter Filter) (*Matcher, error) {
	filter = filter.composed()
	m := &Matcher{filter: filter}
	if err := filter.faults().Err(problem.InvalidInput); err != nil {
		return nil, err
	}
	if filter.Search != "" {
		m.query = new(search.Parse(filter.Search))
	}
	criteria, err := readCriteria(ctx, db.Read(ctx, pool), account, filter.Metadata)
	m.metadata = criteria
	return m, err
}

// Match reports whether the item matches. No filter matches nil, for a document that cannot be decoded.
func (m *Matcher) Match(i *Item) bool {
	return i != nil && m.matchColumns(i) && (m.query == nil || m.query.Match(i.words()))
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
