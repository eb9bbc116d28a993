package web

import (
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/hook"
)

// deliveryList are deliveries of a hook, newest first.
type deliveryList struct {
	Action    string
	Entries   []deliveryView
	States    []link // the filter: all, or those in one state
	Older     string // address
	Newest    string // address; "" on the first page
	Unsettled bool   // some are on their way: the page asks again soon
}

func (c *call) hookDeliveries(h *hook.Hook) (deliveryList, error) {
	path, state := c.hookPath(h.ID), hook.State(c.URL.Query().Get("state"))
	if !slices.Contains([]hook.State{hook.Pending, hook.Succeeded, hook.Failed}, state) {
		state = ""
	}
	after := c.URL.Query().Get("after")
	l := deliveryList{Action: path}
	query := "?"
	if state != "" {
		query += "state=" + string(state) + "&"
	}
	if after != "" {
		l.Newest = path + query + "#deliveries"
	}
	l.States = append(l.States, link{Href: path + "#deliveries", Text: c.text.Get("delivery.every"), Current: state == ""})
	for _, s := range []hook.State{hook.Pending, hook.Succeeded, hook.Failed} {
		l.States = append(l.States, link{path + "?state=" + string(s) + "#deliveries", c.text.Get("delivery." + string(s)),
			s == state})
	}
	filter := hook.DeliveryFilter{Hook: &h.ID, State: state}
	found, next, err := c.pages.Hooks.Deliveries(c.Context(), filter, deliveriesPerPage, after)
	if err != nil {
		return l, err
	}
	if next != "" {
		l.Older = path + query + "after=" + next + "#deliveries" // a page token needs no escapes
	}
	hooks := map[uuid.UUID]string{h.ID: h.URL}
	for n := range found {
		shown := c.delivery(&found[n], hooks)
		shown.Item = c.itemPath(found[n].ItemID)
		l.Entries = append(l.Entries, shown)
		l.Unsettled = l.Unsettled || isUnsettled(&found[n])
	}
	return l, nil
}
