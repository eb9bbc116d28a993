package web

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/querylist"
)

// itemsQuery is the query of the list of items: the parameters of the API's list, but for the size of a page.
type itemsQuery struct {
	values    url.Values // without blanks
	filter    item.Filter
	paging    item.Paging
	hasBlanks bool // or other values without meaning: a form sends every field
}

// arrayCriteria are the criteria with several values.
var arrayCriteria = []string{"tags", "type", "privacy", "workflow_status"}

// timeCriteria are the criteria that are times.
var timeCriteria = []string{"created_after", "created_before", "updated_after"}

// allowed are the values of the criteria that are a choice.
var allowed = map[string][]string{"type": itemTypes, "privacy": privacies, "workflow_status": runStatuses}

func isArray(name string) bool { return slices.Contains(arrayCriteria, name) }

// readItemsQuery reads a query. It leaves out what is no parameter, and times that are none: a page has no better
// answer to a mistyped address than the list.
func readItemsQuery(raw string) itemsQuery {
	q := itemsQuery{values: url.Values{}}
	for name, given := range querylist.Parse(raw, isArray) {
		isCriterion := name == "search" || isArray(name) || slices.Contains(timeCriteria, name) ||
			len(name) > len("metadata.") && strings.HasPrefix(name, "metadata.")
		if !isCriterion && !slices.Contains([]string{"sort", "after", "before"}, name) {
			q.hasBlanks = true
			continue
		}
		for _, value := range given {
			if strings.TrimSpace(value) == "" {
				q.hasBlanks = true
				continue
			}
			values, limited := allowed[name]
			if !limited {
				q.add(name, value)
				continue
			}
			for part := range strings.SplitSeq(value, ",") { // the form has several in one option
				if slices.Contains(values, part) {
					q.add(name, part)
				} else {
					q.hasBlanks = true
				}
			}
		}
	}
	q.fill()
	return q
}

func (q *itemsQuery) add(name, value string) {
	if !slices.Contains(q.values[name], value) {
		q.values.Add(name, value)
	}
}

// fill sets the filter and the paging to what the values say.
func (q *itemsQuery) fill() {
	v := q.values
	q.filter = item.Filter{Search: v.Get("search"), Tags: v["tags"],
		Types: converted[item.ItemType](v["type"]), Privacies: converted[item.Privacy](v["privacy"]),
		WorkflowStatuses: v["workflow_status"], CreatedAfter: timeOf(v, "created_after"),
		CreatedBefore: timeOf(v, "created_before"), UpdatedAfter: timeOf(v, "updated_after")}
	for name := range v {
		if key, ok := strings.CutPrefix(name, "metadata."); ok {
			if q.filter.Metadata == nil {
				q.filter.Metadata = map[string]string{}
			}
			q.filter.Metadata[key] = v.Get(name)
		}
	}
	q.paging = item.Paging{Sort: q.order(), Limit: itemsPerPage, After: v.Get("after"), Before: v.Get("before")}
	if q.paging.After != "" {
		q.paging.Before = ""
	}
}

func converted[T, S ~string](values []S) (out []T) {
	for _, value := range values {
		out = append(out, T(value))
	}
	return out
}

func timeOf(v url.Values, name string) *time.Time {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, v.Get(name)); err == nil {
			return &at
		}
	}
	return nil
}

// order returns the order of the list: a search is by relevance unless the query says otherwise.
func (q *itemsQuery) order() item.Sort {
	sort := item.Sort(q.values.Get("sort"))
	switch sort {
	case item.ByName, item.ByNameDesc, item.ByUpdated, item.ByUpdatedDesc, item.ByCreated, item.ByCreatedDesc,
		item.ByRelevance:
		return sort
	}
	if q.values.Get("search") != "" {
		return item.ByRelevance
	}
	return item.ByCreatedDesc
}

// criteria are the names of the criteria that the query has, in an order that is always the same.
func (q *itemsQuery) criteria() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		if name != "sort" && name != "after" && name != "before" {
			names = append(names, name)
		}
	}
	return names
}

// kept are the parameters that the form of the filter has no control for.
func (q *itemsQuery) kept() (kept []option) {
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		isControl := name == "search" || name == "type" || name == "privacy" || name == "workflow_status"
		if isControl || name == "after" || name == "before" {
			continue
		}
		for _, value := range q.values[name] {
			kept = append(kept, option{Value: name, Text: value})
		}
	}
	return kept
}

// encode returns the query with a question mark; "" for an empty one.
func (q itemsQuery) encode() string {
	if len(q.values) == 0 {
		return ""
	}
	return "?" + q.values.Encode()
}

func (q itemsQuery) copy() itemsQuery {
	values := url.Values{}
	for name, all := range q.values {
		values[name] = slices.Clone(all)
	}
	return itemsQuery{values: values}
}

func (q itemsQuery) without(names ...string) itemsQuery {
	c := q.copy()
	for _, name := range names {
		c.values.Del(name)
	}
	return c
}

func (q itemsQuery) withoutValue(name, value string) itemsQuery {
	c := q.without("after", "before")
	c.values[name] = slices.DeleteFunc(c.values[name], func(v string) bool { return v == value })
	if len(c.values[name]) == 0 {
		c.values.Del(name)
	}
	return c
}

func (q itemsQuery) sortedBy(s item.Sort) itemsQuery {
	c := q.without("after", "before")
	c.values.Set("sort", string(s))
	return c
}

// at returns the query of another page.
func (q itemsQuery) at(parameter, token string) itemsQuery {
	c := q.without("after", "before")
	c.values.Set(parameter, token)
	return c
}

// live returns the query of the changes of the items that match, from a cursor on.
func (q itemsQuery) live(cursor string) string {
	c := q.without("sort", "before")
	c.values.Set("after", cursor)
	for _, name := range timeCriteria {
		if at := timeOf(c.values, name); at != nil {
			c.values.Set(name, at.UTC().Format(time.RFC3339))
		} else {
			c.values.Del(name)
		}
	}
	return c.encode()
}

// maxSelected is the number of items that a form changes at once, or that a script asks for.
const maxSelected = 200

// readIDs reads the ids of items.
func readIDs(texts []string) ([]uuid.UUID, error) {
	if len(texts) > maxSelected {
		return nil, problem.New(problem.BadRequest, "At most %d items can be selected at once. Select fewer.", maxSelected)
	}
	ids := make([]uuid.UUID, 0, len(texts))
	for _, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			return nil, problem.New(problem.BadRequest, "%q is no id of an item.", text)
		}
		ids = append(ids, id)
	}
	return ids, nil
}
