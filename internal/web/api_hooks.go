package web

import (
	"net/http"
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
	Events []option
	Secret *secretView
}

// hookView is a hook with its health.
type hookView struct {
	ID          string
	URL         string
	Description string
	Events      string
	State       badge
	Reason      string // why it is inactive
	LastError   string
	Pending     string // "" for none
	Success     *moment
	Failing     *moment // since when every attempt has failed
	Active      bool
	Edit        string // address in the browsable API
	Deliveries  string // address in the browsable API
}

// secretView is a secret that is shown once.
type secretView struct{ URL, Secret string }

// hookEvents are the events that a hook can ask for, and whether it does unless the user says otherwise.
var hookEvents = []option{{Value: hook.ItemCreated}, {Value: hook.ItemUpdated, Selected: true},
	{Value: hook.ItemDeleted, Selected: true}, {Value: hook.ItemTriggered, Selected: true}}

func (c *call) hooks(form formView, secret *secretView) (*hooksView, error) {
	found, _, err := c.pages.Hooks.List(c.Context(), maxHooks, "")
	if err != nil {
		return nil, err
	}
	v := &hooksView{Action: c.apiPath(), Form: form, Secret: secret}
	for _, event := range hookEvents {
		event.Text = c.text.Get("event." + event.Value)
		if sent, ok := c.PostForm["events"]; ok {
			event.Selected = strings.Contains(strings.Join(sent, " "), event.Value)
		}
		v.Events = append(v.Events, event)
	}
	for n := range found {
		v.Hooks = append(v.Hooks, c.hook(&found[n]))
	}
	return v, nil
}

func (c *call) hook(h *hook.Hook) hookView {
	id := h.ID.String()
	v := hookView{ID: id, URL: h.URL, Description: h.Description, Active: h.Active,
		State: badge{"succeeded", c.text.Get("hook.active")}, Edit: c.pages.root + "api/v1/hooks/" + id,
		Deliveries: c.pages.root + "api/v1/hooks/" + id + "/deliveries"}
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

func (c *call) newHookForm() formView {
	return formView{Action: c.apiPath(), Fields: []field{
		{Name: "url", Label: c.text.Get("hook.url"), Hint: c.text.Get("hook.url.hint"), Kind: "text", MaxLength: 2000,
			Required: true, Value: c.PostForm.Get("url")},
		{Name: "description", Label: c.text.Get("hook.description"), Kind: "text", MaxLength: 500,
			Value: c.PostForm.Get("description")},
	}}
}

// changeHooks does what a form of the panel says.
func (c *call) changeHooks() error {
	if c.value("do") == "add" {
		return c.addHook()
	}
	id, err := uuid.Parse(c.value("hook"))
	if err != nil {
		return problem.New(problem.BadRequest, "The form names no hook.")
	}
	var report notice
	switch do := c.value("do"); do {
	case "pause", "resume":
		_, err = c.pages.Hooks.Patch(c.Context(), id, mustJSON(map[string]any{"active": do == "resume"}), nil)
		report = done("hook.done." + do)
	case "delete":
		err = c.pages.Hooks.Delete(c.Context(), id, nil)
		report = done("hook.done.delete")
	case "test":
		report, err = c.testHook(id)
	case "rotate":
		return c.rotateSecret(id)
	default:
		return problem.New(problem.BadRequest, "The form names nothing to do.")
	}
	if err != nil {
		report = c.problemNotice(err)
	}
	return c.seeOther(c.apiPath(), report)
}

// addHook makes a hook, and shows its secret. That is on no other page, so the answer is the page itself.
func (c *call) addHook() error {
	input := map[string]any{"url": strings.TrimSpace(c.value("url")), "description": c.value("description"),
		"events": c.PostForm["events"]}
	made, secret, err := c.pages.Hooks.Create(c.Context(), mustJSON(input))
	if wrong := problem.Of(err); wrong != nil && wrong.Code.Status() < http.StatusInternalServerError {
		form := c.newHookForm()
		form.Problem = c.text.Get("item.notsaved")
		if len(wrong.Faults) == 0 {
			form.Others = []string{wrong.Detail}
		}
		form.Others = append(form.Others, withFaults(c.text, form.Fields, wrong.Faults)...)
		return c.writeAPI(wrong.Code.Status(), form, nil)
	}
	if err != nil {
		return err
	}
	c.PostForm = nil // the form is for another hook now
	return c.writeAPI(http.StatusCreated, c.newHookForm(), &secretView{made.URL, secret})
}

func (c *call) rotateSecret(id uuid.UUID) error {
	h, err := c.pages.Hooks.Get(c.Context(), id)
	if err != nil {
		return err
	}
	secret, _, err := c.pages.Hooks.RotateSecret(c.Context(), id, false)
	if err != nil {
		return err
	}
	return c.writeAPI(http.StatusOK, c.newHookForm(), &secretView{h.URL, secret})
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
