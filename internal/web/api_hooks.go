package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/hook"
	"itemcast/internal/problem"
)

// hooksView is the panel of the account's hooks.
type hooksView struct {
	Action string
	Hooks  []hookView
	Form   formView // of a new hook
}

// hookView is a hook with its state.
type hookView struct {
	ID          string
	Page        string // address
	URL         string
	Host        string
	Description string
	Events      string
	Filter      string // "" for every item
	State       badge
	Reason      string // why it is inactive
	LastError   string
	Pending     string // "" for none
	Success     *moment
	Failing     *moment // since when every attempt has failed
	Active      bool
	Health      healthView // of the panel
}

// hooks returns the panel, with a form that has been sent.
func (c *call) hooks(sent *hooksView) (*hooksView, error) {
	v := sent
	if v == nil {
		v = &hooksView{Form: c.newHookForm()}
	}
	v.Action = c.apiPath()
	found, _, err := c.pages.Hooks.List(c.Context(), maxHooks, "")
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(found))
	for n := range found {
		ids[n] = found[n].ID
	}
	health, err := c.pages.Hooks.Health(c.Context(), ids...)
	if err != nil {
		return nil, err
	}
	for n := range found {
		shown := c.hook(&found[n])
		shown.Health = c.health(health[found[n].ID])
		v.Hooks = append(v.Hooks, shown)
	}
	return v, nil
}

func (c *call) hook(h *hook.Hook) hookView {
	v := hookView{ID: h.ID.String(), Page: c.hookPath(h.ID), URL: h.URL, Host: h.URL, Description: h.Description,
		Active: h.Active, State: badge{"succeeded", c.text.Get("hook.active")}, Filter: c.filterText(h.Filter)}
	if u, err := url.Parse(h.URL); err == nil && u.Host != "" {
		v.Host = u.Host
	}
	var events []string
	for _, event := range h.Events {
		events = append(events, c.text.Or("event."+event, event))
	}
	v.Events = strings.Join(events, ", ")
	switch {
	case h.DisabledReason != nil:
		v.State, v.Reason = badge{"failed", c.text.Get("hook.disabled")}, *h.DisabledReason
	case !h.Active:
		v.State = badge{"private", c.text.Get("hook.paused")}
	case h.FailingSince != nil:
		v.State = badge{"waiting", c.text.Get("hook.failing")}
	}
	if h.LastSuccessAt != nil {
		v.Success = new(momentOf(c.text, *h.LastSuccessAt))
	}
	if h.FailingSince != nil {
		v.Failing = new(momentOf(c.text, *h.FailingSince))
		if h.LastError != nil {
			v.LastError = *h.LastError
		}
	}
	if h.Pending > 0 {
		v.Pending = c.text.Count("hook.pending", int(h.Pending))
	}
	return v
}

// changeHooks does what a button of the panel says.
func (c *call) changeHooks() error {
	id, err := uuid.Parse(c.value("hook"))
	if err != nil {
		return problem.New(problem.BadRequest, "The form names no hook.")
	}
	report, err := c.doToHook(id, c.value("do"))
	if err != nil {
		report = c.problemNotice(err)
	}
	return c.seeOther(c.apiPath()+"#hooks", report)
}

// addHook makes a hook, and shows its secret. That is on no other page, so the answer is the page itself.
func (c *call) addHook() error {
	made, secret, err := c.pages.Hooks.Create(c.Context(), mustJSON(c.newHookInput(nil)))
	if wrong := refusal(err); wrong != nil {
		return c.writeAPI(wrong.Code.Status(), apiView{Hooks: &hooksView{Form: c.wrongForm(c.newHookForm(), wrong)}})
	}
	if err != nil {
		return err
	}
	c.PostForm = nil // the form is for another hook now
	return c.writeAPI(http.StatusCreated, apiView{Secret: &secretView{Of: made.URL, Secret: secret,
		Example: "itemcast listen --secret " + secret}})
}

// testHook sends a sample to a hook, and says what it answered.
func (c *call) testHook(id uuid.UUID) (notice, error) {
	tested, err := c.pages.Hooks.Test(c.Context(), id, nil, "")
	if err != nil {
		return notice{}, err
	}
	if tested.Fault == "" {
		return done("hook.tested", strconv.Itoa(tested.Status)), nil
	}
	return notice{Key: "hook.testfailed", Detail: tested.Detail + ".", IsProblem: true}, nil
}
