package item

import (
	"slices"
	"time"

	"itemcast/internal/item/internal/store"
	"itemcast/internal/search"
)

// narrow adds the criteria of a token's filter to those of a list's statement. A statement has one set of criteria, so
// that it is planned as a list with that filter, by the same indexes; where two criteria of a kind do not make one, the
// statement has another parameter (also_tags, also_stale_search). With stale, some items still have the words of an
// earlier version. It returns the metadata criteria of both.
func (m *Matcher) narrow(p *store.ListDocumentsParams, metadata map[string]any, stale bool) map[string]any {
	f := &m.filter
	if p.Tags == nil {
		p.Tags = texts(f.Tags)
	} else {
		p.AlsoTags = texts(f.Tags)
	}
	possible := []bool{
		intersect(&p.Types, texts(f.Types)), intersect(&p.Privacies, texts(f.Privacies)),
		intersect(&p.WorkflowStatuses, texts(f.WorkflowStatuses)),
	}
	metadata, united := unite(metadata, m.metadata)
	if slices.Contains(possible, false) || !united {
		p.CreatedBefore = &beforeAll // its index answers at once
		return nil
	}
	p.CreatedAfter = later(p.CreatedAfter, f.CreatedAfter)
	p.UpdatedAfter = later(p.UpdatedAfter, f.UpdatedAfter)
	p.CreatedBefore = earlier(p.CreatedBefore, roundUp(f.CreatedBefore))
	if m.query == nil {
		return metadata
	}
	if p.Search == nil {
		p.Search = new(m.query.String())
		if stale {
			p.StaleSearch = &f.Search
		}
		return metadata
	}
	p.Search = new(within(*p.Search, m.query))
	if stale {
		p.AlsoStaleSearch = &f.Search
	}
	return metadata
}

// within returns the text of a tsquery that finds what a query finds in sight.
func (s Sight) within(text string) string {
	if s.isWhole() {
		return text
	}
	return within(text, s.filter.query)
}

// within returns the text of a tsquery that finds what both queries find; nil finds everything.
func within(text string, also *search.Query) string {
	switch {
	case also == nil:
		return text
	case text == "" || also.IsEmpty():
		return "" // finds nothing
	}
	return "(" + text + ") & (" + also.String() + ")"
}

// intersect limits values to those that also has; nil is every value. It reports whether any is left.
func intersect(values *[]string, also []string) bool {
	switch {
	case also == nil:
		return true
	case *values == nil:
		*values = also
		return true
	}
	*values = slices.DeleteFunc(*values, func(value string) bool { return !slices.Contains(also, value) })
	return len(*values) > 0
}

// unite returns the criteria of both; ok is false if no item can meet them.
func unite(metadata, also map[string]any) (both map[string]any, ok bool) {
	if metadata == nil {
		return also, true
	}
	for key, wanted := range also {
		if value, given := metadata[key]; given && value != wanted {
			return nil, false
		}
		metadata[key] = wanted
	}
	return metadata, true
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}
