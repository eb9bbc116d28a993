package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"itemcast/internal/hook"
)

// newHookForm is the form of a new hook: what the most need.
func (c *call) newHookForm() formView {
	fields := c.hookFields(&hook.Hook{})
	if c.sent("url") {
		c.keepSent(fields)
	}
	return formView{Action: c.apiPath(), Fields: append(fields, c.filterFields(nil)...)}
}

// hookForm is the form of a hook's settings.
func (c *call) hookForm(h *hook.Hook) formView {
	number := func(name string, value *int32) field {
		f := field{Name: name, Label: c.text.Get("hook." + name), Hint: c.text.Get("hook." + name + ".hint"), Kind: "number"}
		if value != nil {
			f.Value = strconv.Itoa(int(*value))
		}
		return f
	}
	fields := append(c.hookFields(h), c.filterFields(h.Filter)...)
	var headers []string
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		headers = append(headers, name+": "+h.Headers[name])
	}
	fields = append(fields,
		field{Name: "changed_fields", Label: c.text.Get("hook.changed_fields"), Hint: c.text.Get("hook.changed_fields.hint"),
			Kind: "lines", Rows: 2, Value: strings.Join(h.ChangedFields, "\n")},
		field{Name: "headers", Label: c.text.Get("hook.headers"), Hint: c.text.Get("hook.headers.hint"), Kind: "lines",
			Rows: 2, Value: strings.Join(headers, "\n")},
		field{Name: "body", Label: c.text.Get("hook.body"), Kind: "choice", Options: []option{
			{hook.FullBody, c.text.Get("hook.body.full"), h.Body != hook.ThinBody},
			{hook.ThinBody, c.text.Get("hook.body.thin"), h.Body == hook.ThinBody}}},
		number("rate_limit", h.RateLimit), number("max_in_flight", h.MaxInFlight))
	if c.sent("url") {
		c.keepSent(fields)
	}
	return formView{Action: c.hookPath(h.ID), Revision: h.Revision, Fields: fields, MayEdit: true}
}

// keepSent puts what the user has sent into fields.
func (c *call) keepSent(fields []field) {
	for n := range fields {
		f := &fields[n]
		sent, ok := c.PostForm[f.Name]
		switch {
		case f.Kind == "boxes" || f.Kind == "choice":
			f.Options = slices.Clone(f.Options)
			for n := range f.Options {
				f.Options[n].Selected = slices.Contains(sent, f.Options[n].Value)
			}
		case ok:
			f.Value = c.value(f.Name)
		}
	}
}

// hookFields are the fields that every hook's form has.
func (c *call) hookFields(h *hook.Hook) []field {
	events := field{Name: "events", Label: c.text.Get("hook.events"), Kind: "boxes"}
	chosen := h.Events
	if len(chosen) == 0 { // the service's default
		chosen = []string{hook.ItemUpdated, hook.ItemDeleted, hook.ItemTriggered}
	}
	for _, event := range []string{hook.ItemCreated, hook.ItemUpdated, hook.ItemDeleted, hook.ItemTriggered} {
		events.Options = append(events.Options, option{event, c.text.Get("event." + event), slices.Contains(chosen, event)})
	}
	return []field{
		{Name: "url", Label: c.text.Get("hook.url"), Hint: c.text.Get("hook.url.hint"), Kind: "text", MaxLength: 2000,
			Required: true, Value: h.URL},
		{Name: "description", Label: c.text.Get("hook.description"), Kind: "text", MaxLength: 500, Value: h.Description},
		events,
	}
}
