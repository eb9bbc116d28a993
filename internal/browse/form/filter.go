package form

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"itemcast/internal/querylist"
)

// Filter is the form for the query of a list.
type Filter struct {
	Open   bool     // shown unfolded, because a field is wrong
	Given  []string // the query, as name=value
	Inputs []Input
}

// pageTokens are the parameters that a list's own links set. Another filter begins on the first page.
var pageTokens = []string{"after", "before"}

// Filter returns the form for a request's query; nil when the operation takes none. f may be nil.
func (f *Form) Filter(rawQuery string, problem *Problem) *Filter {
	if f == nil || len(f.filter) == 0 {
		return nil
	}
	query := querylist.Parse(rawQuery, f.isArray)
	filter := &Filter{}
	for i := range f.filter {
		in := filterInput(&f.filter[i], query)
		in.Error = problem.claim(in.Field)
		filter.Open = filter.Open || in.Error != ""
		filter.Inputs = append(filter.Inputs, in)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if value := f.shown(name, query[name]); value != "" && !slices.Contains(pageTokens, name) {
			filter.Given = append(filter.Given, Shorten(name+"="+value))
		}
	}
	return filter
}

// isArray reports whether the filter has an array of this name.
func (f *Form) isArray(name string) bool {
	return slices.ContainsFunc(f.filter, func(field Field) bool { return field.isArray && field.Name == name })
}

// shown returns a parameter's values as a person writes them in a query.
func (f *Form) shown(name string, values []string) string {
	if f.isArray(name) {
		values = slices.Clone(values)
		for i, value := range values {
			values[i] = strings.ReplaceAll(value, ",", "%2C")
		}
	}
	return strings.Join(values, ",")
}

func filterInput(f *Field, query url.Values) Input {
	in := Input{Field: f, Kind: f.Kind}
	switch {
	case f.Kind == kindPairs:
		for _, name := range slices.Sorted(maps.Keys(query)) {
			if key, below := strings.CutPrefix(name, f.Prefix); below && key != "" {
				in.Pairs = append(in.Pairs, Pair{key, query.Get(name)})
			}
		}
		in.Pairs = append(in.Pairs, Pair{}) // to be filled in
	case slices.Contains(pageTokens, f.Name):
	case f.Kind == kindTime:
		text, isTime := fromUTC(query.Get(f.Name))
		if in.Values = []string{text}; !isTime {
			in.Kind = kindText // shows the text as it is, beside its fault
		}
	default:
		in.Values = query[f.Name]
	}
	return in
}

// CleanQuery turns the query that a browser makes from the filter form into the one that a client would write: without
// empty controls.
func (f *Form) CleanQuery(sent url.Values) string {
	query := url.Values{}
	for i := range f.filter {
		field := &f.filter[i]
		if field.Kind != kindPairs {
			if values := field.queryValues(sent[field.Name]); len(values) > 0 {
				query[field.Name] = values
			}
			continue
		}
		keys, values := sent[pairKey+field.Prefix], sent[pairValue+field.Prefix]
		for n := range min(len(keys), len(values)) {
			if key := strings.TrimSpace(keys[n]); key != "" {
				query.Set(field.Prefix+key, values[n])
			}
		}
	}
	return encodeQuery(query)
}
