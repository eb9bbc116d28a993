package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"itemcast/internal/hook"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
)

// deliveryPage is what delivery.html shows.
type deliveryPage struct {
	List     string // address of the hook's page, or of all hooks
	Path     string
	API      string
	Delivery deliveryView
	Hook     string // address of the hook's page; "" for a task
	Cursor   string
	Why      string // why it waits
	Headers  []headerView
	Body     string
	NoBody   string // why there is none
	Attempts []attemptView
	Last     *attemptView // nil: nothing has been sent yet

	Unsettled bool
}

// headerView is a header of a request.
type headerView struct{ Name, Value string }

// attemptView is a request of a delivery, with what came back.
type attemptView struct {
	Number   int
	At       moment
	Took     string // "" when it was not sent
	Result   badge
	Error    string
	Response string // the first 4 KiB; "" for none
}

func (v *deliveryPage) apiAddress() string { return v.API }

var deliveryScreen = newScreen("delivery.html")

// Delivery serves the page of a delivery: what was sent, and what came back.
func (p *Pages) Delivery() http.Handler {
	return p.serve((*call).showDelivery, (*call).changeDelivery)
}

func (c *call) deliveryPath(id uuid.UUID) string { return c.pages.root + "deliveries/" + id.String() }

func (c *call) showDelivery() error {
	id, err := uuid.Parse(c.PathValue("id"))
	if err != nil {
		return problem.New(problem.NotFound, "There is no delivery with this id.")
	}
	d, attempts, err := c.pages.Hooks.Delivery(c.Context(), id)
	if err != nil {
		return err
	}
	urls, thin, err := c.targetOf(&d)
	if err != nil {
		return err
	}
	v := &deliveryPage{List: c.apiPath() + "#hooks", Path: c.deliveryPath(id),
		API: c.pages.root + "api/v1/deliveries/" + id.String(), Delivery: c.delivery(&d, urls), Cursor: d.Cursor,
		Unsettled: isUnsettled(&d)}
	v.Delivery.Item = c.itemPath(d.ItemID)
	if d.HookID != uuid.Nil {
		v.Hook = c.hookPath(d.HookID)
		v.List = v.Hook + "#deliveries"
	}
	if d.WaitsFor != nil {
		v.Why = c.text.Or("delivery.waits."+string(*d.WaitsFor), string(*d.WaitsFor))
	}
	for n := range attempts {
		v.Attempts = append(v.Attempts, c.attempt(&attempts[n]))
	}
	if n := len(v.Attempts); n > 0 {
		v.Last = &v.Attempts[n-1]
		v.Headers = requestHeaders(&d, &attempts[n-1])
	} else {
		v.Headers = requestHeaders(&d, nil)
	}
	if err := c.fillBody(v, &d, thin); err != nil {
		return err
	}
	c.show(deliveryScreen, http.StatusOK, v)
	return nil
}

// fillBody fills in the body of the requests, if the user sees the item: hooks receive items that their managers may
// not see.
func (c *call) fillBody(v *deliveryPage, d *hook.Delivery, thin bool) error {
	_, _, err := c.pages.Config.Items.History(c.Context(), d.ItemID, 1, "")
	var document []byte
	if err == nil {
		document, err = c.pages.Hooks.Document(c.Context(), d.ID)
	}
	if problem.Is(err, problem.NotFound) || problem.Is(err, problem.Forbidden) {
		v.NoBody = c.text.Get("delivery.nobody")
		return nil
	}
	if err != nil {
		return err
	}
	v.Body, err = shownBody(document, thin)
	return err
}

// targetOf returns the URL of a delivery's hook, and whether it now asks for the thin body.
func (c *call) targetOf(d *hook.Delivery) (urls map[uuid.UUID]string, thin bool, err error) {
	if d.HookID == uuid.Nil {
		return nil, false, nil
	}
	h, err := c.pages.Hooks.Get(c.Context(), d.HookID)
	if problem.Is(err, problem.NotFound) {
		return nil, false, nil
	}
	return map[uuid.UUID]string{d.HookID: h.URL}, h.Body == hook.ThinBody, err
}

// shownBody returns a body as people read it, with indents. It is sent without.
func shownBody(document []byte, thin bool) (string, error) {
	if thin {
		var err error
		if _, document, err = hook.Thin(document); err != nil {
			return "", err
		}
	}
	var b bytes.Buffer
	if err := json.Indent(&b, document, "", "  "); err != nil {
		return "", err
	}
	return b.String(), nil
}

// requestHeaders are the headers of a delivery's last request, or of its next one, but for those of the connection. The
// signature is not kept, and headers of the hook's own are secrets.
func requestHeaders(d *hook.Delivery, a *hook.Attempt) []headerView {
	all := []headerView{{"content-type", "application/json"}, {"webhook-id", d.ID.String()}}
	trigger := d.Trigger
	if a != nil {
		all = append(all, headerView{"webhook-timestamp", strconv.FormatInt(a.At.Unix(), 10)})
		trigger = a.Trigger
	}
	all = append(all, headerView{"webhook-signature", "v1,…"}, headerView{"itemcast-event", d.Event},
		headerView{"itemcast-trigger", trigger}, headerView{"itemcast-revision", strconv.FormatInt(d.Revision, 10)},
		headerView{"itemcast-cursor", d.Cursor})
	if d.OccurredAt != nil {
		all = append(all, headerView{"itemcast-occurred-at", d.OccurredAt.UTC().Format(plainjson.TimeFormat)})
	}
	if d.Task != nil {
		all = append(all, headerView{"itemcast-task", d.Task.Task}, headerView{"itemcast-task-at", d.Task.At})
	}
	return all
}

func (c *call) attempt(a *hook.Attempt) attemptView {
	v := attemptView{Number: a.Number, At: momentOf(c.text, a.At)}
	if a.Duration != nil {
		v.Took = c.text.Latency(*a.Duration)
	}
	switch {
	case a.Succeeded:
		v.Result = badge{"succeeded", strconv.Itoa(*a.Status)}
	case a.Status != nil:
		v.Result = badge{"failed", strconv.Itoa(*a.Status)}
	default:
		v.Result = badge{"failed", c.text.Get("delivery.noanswer")}
	}
	if a.Error != nil {
		v.Error = *a.Error
	}
	if a.Response != nil {
		v.Response = *a.Response
	}
	return v
}

func (c *call) changeDelivery() error {
	id, err := uuid.Parse(c.PathValue("id"))
	if err != nil {
		return problem.New(problem.NotFound, "There is no delivery with this id.")
	}
	c.PostForm.Set("delivery", id.String())
	report, err := c.redeliver(nil)
	if err != nil {
		report = c.problemNotice(err)
	}
	return c.seeOther(c.deliveryPath(id), report)
}
