package web

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// deliveriesPerPage is the number of deliveries that the page of an item shows.
const deliveriesPerPage = 20

// deliveriesView are the last deliveries of an item to hooks and of tasks.
type deliveriesView struct {
	Action    string
	Entries   []deliveryView
	All       string // address of the whole list; "" if this is all
	Unsettled bool   // some are on their way: the page asks again soon
}

type deliveryView struct {
	ID       string
	Page     string // address
	Item     string // address of the item's page; "" on that page
	ItemName string // "" for one that the user may not see, or that is deleted
	To       string // the hook's URL, or the task
	Event    string
	Trigger  string
	Revision string
	State    badge
	Attempts string
	Last     string // the last answer, or what went wrong
	Next     *moment
	At       *moment
	Failed   bool
}

// soon is the time within which a page waits for the end of a delivery.
const soon = 15 * time.Second

func (c *call) deliveries(id uuid.UUID) (*deliveriesView, error) {
	if !c.may(account.HooksManage) {
		return nil, nil
	}
	found, next, err := c.pages.Hooks.Deliveries(c.Context(), hook.DeliveryFilter{Item: &id}, deliveriesPerPage, "")
	if err != nil {
		return nil, err
	}
	v := &deliveriesView{Action: c.itemPath(id)}
	if next != "" {
		v.All = c.pages.root + "api/v1/deliveries?item_id=" + id.String()
	}
	hooks := map[uuid.UUID]string{}
	if len(found) > 0 {
		if hooks, err = c.hookURLs(); err != nil {
			return nil, err
		}
	}
	for n := range found {
		d := &found[n]
		v.Entries = append(v.Entries, c.delivery(d, hooks))
		v.Unsettled = v.Unsettled || isUnsettled(d)
	}
	return v, nil
}

// isUnsettled reports whether a delivery may end while somebody looks.
func isUnsettled(d *hook.Delivery) bool {
	if d.State != hook.Pending || d.WaitsFor == nil || *d.WaitsFor == hook.ForEarlier {
		return false
	}
	return d.NextAttemptAt == nil || time.Until(*d.NextAttemptAt) < soon
}

// maxHooks is the number of hooks whose addresses a page reads.
const maxHooks = 1000

// hookURLs returns the addresses of the account's hooks.
func (c *call) hookURLs() (map[uuid.UUID]string, error) {
	hooks, _, err := c.pages.Hooks.List(c.Context(), maxHooks, "")
	urls := make(map[uuid.UUID]string, len(hooks))
	for n := range hooks {
		urls[hooks[n].ID] = hooks[n].URL
	}
	return urls, err
}

func (c *call) delivery(d *hook.Delivery, hooks map[uuid.UUID]string) deliveryView {
	v := deliveryView{ID: d.ID.String(), Page: c.deliveryPath(d.ID), To: hooks[d.HookID],
		Event: d.Event, Trigger: c.text.Or("trigger."+d.Trigger, d.Trigger), Revision: strconv.FormatInt(d.Revision, 10),
		State:    badge{string(d.State), c.text.Or("delivery."+string(d.State), string(d.State))},
		Attempts: c.text.Count("delivery.attempts", d.Attempts), Failed: d.State == hook.Failed}
	switch {
	case d.Task != nil:
		v.To = c.text.Get("delivery.task", d.Task.Task)
	case v.To == "":
		v.To = c.text.Get("delivery.gone")
	}
	switch {
	case d.LastError != nil:
		v.Last = *d.LastError
	case d.LastStatus != nil:
		v.Last = strconv.Itoa(*d.LastStatus)
	}
	if d.LastAttemptAt != nil {
		v.At = new(momentOf(c.text, *d.LastAttemptAt))
	}
	if d.NextAttemptAt != nil && time.Until(*d.NextAttemptAt) > 0 {
		v.Next = new(momentOf(c.text, *d.NextAttemptAt))
	}
	return v
}

// redeliver sends a delivery of the item once more.
func (c *call) redeliver(*item.Item) (notice, error) {
	id, err := uuid.Parse(c.value("delivery"))
	if err != nil {
		return notice{}, problem.New(problem.BadRequest, "The form names no delivery.")
	}
	_, err = c.pages.Hooks.Redeliver(c.Context(), id)
	return done("delivery.again"), err
}
