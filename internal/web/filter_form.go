package web

import (
	"maps"
	"slices"
	"strings"

	"itemcast/internal/item"
)

// filterFields are the controls for the filter of a hook or a token: the criteria of the list of items, but for times,
// which the API has.
func (c *call) filterFields(f *item.Filter) []field {
	var is item.Filter
	if f != nil {
		is = *f
	}
	if c.sent("filter.search") {
		is = c.sentFilter(f)
	}
	lines := func(name, hint, value string) field {
		return field{Name: "filter." + name, Label: c.text.Get("items." + name), Hint: hint, Kind: "lines", Rows: 2,
			Value: value}
	}
	boxes := func(name, prefix string, values, chosen []string) field {
		b := field{Name: "filter." + name, Label: c.text.Get("items." + name), Kind: "boxes"}
		for _, value := range values {
			b.Options = append(b.Options, option{value, c.text.Get(prefix + value), slices.Contains(chosen, value)})
		}
		return b
	}
	return []field{
		{Name: "filter.search", Label: c.text.Get("items.search"), Kind: "text", MaxLength: 500, Value: is.Search},
		lines("tags", c.text.Get("filter.tags.hint"), strings.Join(is.Tags, "\n")),
		boxes("type", "type.", itemTypes, converted[string](is.Types)),
		boxes("privacy", "privacy.", privacies, converted[string](is.Privacies)),
		boxes("workflow_status", "run.", runStatuses, is.WorkflowStatuses),
		lines("metadata", c.text.Get("filter.metadata.hint"), joinPairs(is.Metadata)),
	}
}

// sentFilter is the filter that a form has sent. It keeps what the form lacks of the present one.
func (c *call) sentFilter(present *item.Filter) item.Filter {
	var f item.Filter
	if present != nil {
		f = *present
	}
	f.Search = c.value("filter.search")
	f.Tags = lines(c.value("filter.tags")).([]string)
	f.Types = converted[item.ItemType](c.PostForm["filter.type"])
	f.Privacies = converted[item.Privacy](c.PostForm["filter.privacy"])
	f.WorkflowStatuses = c.PostForm["filter.workflow_status"]
	f.Metadata = pairs(c.value("filter.metadata"), "=")
	return f
}

// filterInput returns what an input has for the filter of a form; nil for every item.
func (c *call) filterInput(present *item.Filter) any {
	if f := c.sentFilter(present); !f.IsZero() {
		return f
	}
	return nil
}

// filterText describes a filter in a line; "" for every item.
func (c *call) filterText(f *item.Filter) string {
	if f == nil || f.IsZero() {
		return ""
	}
	var parts []string
	say := func(name, prefix string, values ...string) {
		if len(values) == 0 || values[0] == "" {
			return
		}
		shown := make([]string, len(values))
		for n, value := range values {
			shown[n] = c.text.Or(prefix+value, value)
		}
		parts = append(parts, c.text.Get("items."+name)+": "+strings.Join(shown, ", "))
	}
	say("search", "-", f.Search)
	say("tags", "-", f.Tags...)
	say("type", "type.", converted[string](f.Types)...)
	say("privacy", "privacy.", converted[string](f.Privacies)...)
	say("workflow_status", "run.", f.WorkflowStatuses...)
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		parts = append(parts, key+": "+f.Metadata[key])
	}
	if f.CreatedAfter != nil || f.CreatedBefore != nil || f.UpdatedAfter != nil {
		parts = append(parts, c.text.Get("filter.times"))
	}
	return strings.Join(parts, " · ")
}

// pairs reads lines of a name, a separator and a value. A line without the separator is a name without a value, which
// the service then refuses by name.
func pairs(text, separator string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			name, value, _ := strings.Cut(line, separator)
			all[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return all
}

func joinPairs(all map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.WriteString(name + "=" + all[name] + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
