package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/workflow"
)

// changeItems does something with the selected items, each in a transaction of its own. It reports how many have
// changed, and why others have not.
func (c *call) changeItems() error {
	back := c.backTo()
	if c.value("do") == "seen" {
		c.setSeen()
		return c.seeOther(back, notice{})
	}
	ids, err := readIDs(c.PostForm["id"])
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return c.seeOther(back, notice{Key: "items.bulk.none", IsProblem: true})
	}
	do := c.value("do")
	if asks := do == "delete" || do == "run"; asks && c.value("confirmed") == "" {
		query := url.Values{"id": c.PostForm["id"], "back": {back}, "do": {do}}
		return c.seeOther(c.itemsPath()+"/confirm?"+query.Encode(), notice{})
	}
	change, err := c.bulkChange(do)
	if err != nil {
		return err
	}
	return c.seeOther(back, c.changeAll(ids, "items.done."+do, change))
}

// bulkChange returns what a button does with an item.
func (c *call) bulkChange(do string) (func(uuid.UUID) error, error) {
	patch := func(privacy item.Privacy) func(uuid.UUID) error {
		return func(id uuid.UUID) error {
			_, err := c.pages.Config.Items.Patch(c.Context(), id, mustJSON(map[string]any{"privacy": privacy}), nil)
			return err
		}
	}
	tag := strings.TrimSpace(c.value("tag"))
	switch do {
	case "tag", "untag":
		if tag == "" {
			return nil, problem.New(problem.BadRequest, "%s", c.text.Get("items.bulk.notag"))
		}
		return func(id uuid.UUID) error { return c.changeTags(id, tag, do == "tag") }, nil
	case "publish":
		return patch(item.PrivacyPublic), nil
	case "unpublish":
		return patch(item.PrivacyPrivate), nil
	case "delete":
		return func(id uuid.UUID) error { return c.pages.Config.Items.Delete(c.Context(), id, nil) }, nil
	case "run":
		profile, err := uuid.Parse(c.value("profile"))
		if err != nil {
			return nil, problem.New(problem.BadRequest, "%s", c.text.Get("items.bulk.noprofile"))
		}
		return func(id uuid.UUID) error {
			_, err := c.pages.Workflows.Start(c.Context(), id, workflow.StartInput{ProfileID: &profile})
			return err
		}, nil
	}
	return nil, problem.New(problem.BadRequest, "The form names nothing to do.")
}

// tagAttempts bounds how often tags are read again because somebody else has changed the item meanwhile.
const tagAttempts = 5

// changeTags adds a tag to an item, or removes it.
func (c *call) changeTags(id uuid.UUID, tag string, add bool) (err error) {
	for range tagAttempts {
		var document item.Document
		if document, err = c.pages.Config.Items.Get(c.Context(), id); err != nil {
			return err
		}
		i, err := item.Decode(document.Bytes)
		if err != nil {
			return err
		}
		tags := slices.DeleteFunc(slices.Clone(i.Tags), func(t string) bool { return t == tag })
		if add {
			tags = append(tags, tag)
		}
		_, err = c.pages.Config.Items.Patch(c.Context(), id, mustJSON(map[string]any{"tags": tags}),
			revision.Is(document.Revision))
		if !problem.Is(err, problem.RevisionMismatch) {
			return err
		}
	}
	return err
}

// changeAll changes items, and returns what to report.
func (c *call) changeAll(ids []uuid.UUID, key string, change func(uuid.UUID) error) notice {
	changed, reason := 0, ""
	for _, id := range ids {
		err := change(id)
		if err == nil {
			changed++
		} else if reason == "" {
			reason = c.pages.Explain(c.Request, err).Detail
		}
	}
	if failed := len(ids) - changed; failed > 0 {
		return notice{Key: "items.failed", Count: &failed, Arguments: []any{len(ids)}, Detail: reason, IsProblem: true}
	}
	return notice{Key: key, Count: &changed}
}

// mustJSON encodes values that JSON can hold.
func mustJSON(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // only for types that JSON lacks
	}
	return raw
}

// question is what items_confirm.html asks: whether to delete items, or which workflow to run.
type question struct {
	Action   string // address of the form
	Back     string
	Do       string
	Items    []option
	Profiles []option // of the question for a workflow
}

var confirmScreen = newScreen("items_confirm.html")

// ItemsConfirm serves the question before something is done with items.
func (p *Pages) ItemsConfirm() http.Handler { return p.serve((*call).confirmItems, nil) }

func (c *call) confirmItems() error {
	query := c.URL.Query()
	ids, err := readIDs(query["id"])
	if err != nil {
		return err
	}
	documents, err := c.pages.Config.Items.GetMany(c.Context(), ids)
	if err != nil {
		return err
	}
	data := question{Action: c.itemsPath(), Back: localPath(query.Get("back"), c.itemsPath()), Do: "delete"}
	if query.Get("do") == "run" {
		data.Do = "run"
		if data.Profiles, err = c.profileOptions(""); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if document, ok := documents[id]; ok {
			i, err := item.Decode(document)
			if err != nil {
				return err
			}
			data.Items = append(data.Items, option{Value: id.String(), Text: i.Name})
		}
	}
	if len(data.Items) == 0 {
		return problem.New(problem.NotFound, "There is no such item that you may see.")
	}
	c.show(confirmScreen, http.StatusOK, &data)
	return nil
}
