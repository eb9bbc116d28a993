package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/hook"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

// hookPage is what hook.html shows.
type hookPage struct {
	List       string // address of the panel of all hooks
	Path       string // of this page
	API        string // the hook in the browsable API
	Hook       hookView
	Secret     *secretView
	Health     healthView
	Form       formView
	Advanced   bool // the settings that few hooks need are open
	Deliveries deliveryList
	Replay     replayView
}

func (v *hookPage) apiAddress() string { return v.API }

var hookScreen = newScreen("hook.html", "secret.html", "health.html", "hook_deliveries.html", "hook_replay.html")

// Hook serves the page of a hook. Its forms have the field do, which says what they do.
func (p *Pages) Hook() http.Handler { return p.serve((*call).showHook, (*call).changeHook) }

func (c *call) hookPath(id uuid.UUID) string { return c.pages.root + "hooks/" + id.String() }

// hookAt reads the hook of the address.
func (c *call) hookAt() (*hook.Hook, error) {
	id, err := uuid.Parse(c.PathValue("id"))
	if err != nil {
		return nil, problem.New(problem.NotFound, "There is no hook with this id.")
	}
	h, err := c.pages.Hooks.Get(c.Context(), id)
	return &h, err
}

func (c *call) showHook() error {
	h, err := c.hookAt()
	if err != nil {
		return err
	}
	return c.writeHook(http.StatusOK, h, c.hookForm(h), nil)
}

// writeHook answers with the page, whose form may have what the user has sent. A secret is shown once.
func (c *call) writeHook(status int, h *hook.Hook, form formView, secret *secretView) (err error) {
	v := &hookPage{List: c.apiPath() + "#hooks", Path: c.hookPath(h.ID),
		API: c.pages.root + "api/v1/hooks/" + h.ID.String(), Hook: c.hook(h), Secret: secret, Form: form,
		Advanced: h.Filter != nil || len(h.Headers)+len(h.ChangedFields) > 0 ||
			h.Body == hook.ThinBody || h.RateLimit != nil || h.MaxInFlight != nil || form.Problem != ""}
	health, err := c.pages.Hooks.Health(c.Context(), h.ID)
	if err != nil {
		return err
	}
	v.Health = c.health(health[h.ID])
	if v.Deliveries, err = c.hookDeliveries(h); err != nil {
		return err
	}
	if v.Replay, err = c.replay(h); err != nil {
		return err
	}
	c.show(hookScreen, status, v)
	return nil
}

// changeHook does what a form of the page says.
func (c *call) changeHook() error {
	h, err := c.hookAt()
	if err != nil {
		return err
	}
	var report notice
	switch do := c.value("do"); do {
	case "save":
		return c.saveHook(h)
	case "rotate":
		secret, _, err := c.pages.Hooks.RotateSecret(c.Context(), h.ID, c.value("revoke") != "")
		if err != nil {
			return err
		}
		c.PostForm = nil
		return c.writeHook(http.StatusOK, h, c.hookForm(h), &secretView{Of: h.URL, Secret: secret})
	case "replay", "stop":
		report, err = c.changeReplay(h, do)
	case "redeliver":
		report, err = c.redeliver(nil)
	case "delete":
		report, err = c.doToHook(h.ID, do)
		if err == nil {
			return c.seeOther(c.apiPath()+"#hooks", report)
		}
	default:
		report, err = c.doToHook(h.ID, do)
	}
	if err != nil {
		report = c.problemNotice(err)
	}
	return c.seeOther(c.hookPath(h.ID), report)
}

// doToHook does what a button of a hook says.
func (c *call) doToHook(id uuid.UUID, do string) (report notice, err error) {
	switch do {
	case "pause", "resume":
		_, err = c.pages.Hooks.Patch(c.Context(), id, mustJSON(map[string]any{"active": do == "resume"}), nil)
		return done("hook.done." + do), err
	case "delete":
		return done("hook.done.delete"), c.pages.Hooks.Delete(c.Context(), id, nil)
	case "test":
		return c.testHook(id)
	}
	return notice{}, problem.New(problem.BadRequest, "The form names nothing to do.")
}

// saveHook saves the settings. Somebody else's save is not overwritten.
func (c *call) saveHook(h *hook.Hook) error {
	known, err := strconv.ParseInt(c.value("revision"), 10, 64)
	if err != nil {
		return problem.New(problem.BadRequest, "The form does not say which revision it changes. Load the page again.")
	}
	saved, err := c.pages.Hooks.Patch(c.Context(), h.ID, mustJSON(c.hookInput(h)), revision.Is(known),
		"filter", "headers")
	if wrong := refusal(err); wrong != nil {
		form := c.wrongForm(c.hookForm(h), wrong)
		if wrong.Code == problem.RevisionMismatch {
			form.Others = []string{c.text.Get("hook.changed")}
		}
		return c.writeHook(wrong.Code.Status(), h, form, nil)
	}
	if err != nil {
		return err
	}
	return c.seeOther(c.hookPath(saved.ID), done("item.saved"))
}

// wrongForm is a form with what a service found wrong, beside its fields where they are the place.
func (c *call) wrongForm(form formView, wrong *problem.Error) formView {
	form.Problem = c.text.Get("item.notsaved")
	if len(wrong.Faults) == 0 {
		form.Others = []string{wrong.Detail}
	}
	form.Others = append(form.Others, withFaults(c.text, form.Fields, wrong.Faults)...)
	return form
}

// newHookInput is what the form of a new hook says. The filter keeps what a form lacks of the present one.
func (c *call) newHookInput(present *item.Filter) map[string]any {
	return map[string]any{"url": strings.TrimSpace(c.value("url")), "description": c.value("description"),
		"events": c.PostForm["events"], "filter": c.filterInput(present)}
}

// hookInput is what a form says of a hook's settings.
func (c *call) hookInput(h *hook.Hook) map[string]any {
	in := c.newHookInput(h.Filter)
	in["changed_fields"] = lines(c.value("changed_fields"))
	in["headers"] = pairs(c.value("headers"), ":")
	in["body"] = c.value("body")
	in["rate_limit"], in["max_in_flight"] = numberOrText(c.value("rate_limit")), numberOrText(c.value("max_in_flight"))
	return in
}
