package web

import (
	"slices"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/hook"
	"itemcast/internal/item"
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
	names, err := c.itemNames(found)
	if err != nil {
		return l, err
	}
	for n := range found {
		shown := c.delivery(&found[n], hooks)
		shown.Item, shown.ItemName = c.itemPath(found[n].ItemID), names[found[n].ItemID]
		l.Entries = append(l.Entries, shown)
		l.Unsettled = l.Unsettled || isUnsettled(&found[n])
	}
	return l, nil
}

// itemNames returns the names of the items of deliveries, by id: of those that the user may see.
func (c *call) itemNames(deliveries []hook.Delivery) (map[uuid.UUID]string, error) {
	if len(deliveries) == 0 || !c.may(account.ItemsView) {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(deliveries))
	for n := range deliveries {
		ids[n] = deliveries[n].ItemID
	}
	documents, err := c.pages.Config.Items.GetMany(c.Context(), ids)
	if err != nil {
		return nil, err
	}
	names := make(map[uuid.UUID]string, len(documents))
	for id, document := range documents {
		i, err := item.Decode(document)
		if err != nil {
			return nil, err
		}
		names[id] = i.Name
	}
	return names, nil
}
