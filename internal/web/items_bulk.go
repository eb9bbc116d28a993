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
	back, do := c.backTo(), c.value("do")
	switch do {
	case "seen":
		c.setSeen()
		return c.seeOther(back, notice{})
	case "saveview":
		return c.saveView()
	case "deleteview":
		return c.deleteView()
	case "undo":
		return c.undoItems()
	}
	ids, err := readIDs(c.PostForm["id"])
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return c.seeOther(back, notice{Key: "items.bulk.none", IsProblem: true})
	}
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

// bulk does something with an item, and notes how to undo it, if it can be undone.
type bulk func(id uuid.UUID, back *undo) error

// bulkChange returns what a button does with an item.
func (c *call) bulkChange(do string) (bulk, error) {
	patch := func(privacy item.Privacy) bulk {
		return func(id uuid.UUID, back *undo) error {
			former, err := c.setPrivacy(id, privacy)
			if err == nil && former != privacy {
				back.add(string(former), id)
			}
			return err
		}
	}
	tag := strings.TrimSpace(c.value("tag"))
	switch do {
	case "tag", "untag":
		if tag == "" {
			return nil, problem.New(problem.BadRequest, "%s", c.text.Get("items.bulk.notag"))
		}
		return func(id uuid.UUID, back *undo) error {
			changed, err := c.changeTags(id, tag, do == "tag")
			if err == nil && changed {
				back.Tag, back.Adds = tag, do == "untag"
				back.add("", id)
			}
			return err
		}, nil
	case "publish":
		return patch(item.PrivacyPublic), nil
	case "unpublish":
		return patch(item.PrivacyPrivate), nil
	case "delete":
		return func(id uuid.UUID, _ *undo) error { return c.pages.Config.Items.Delete(c.Context(), id, nil) }, nil
	case "run":
		profile, err := uuid.Parse(c.value("profile"))
		if err != nil {
			return nil, problem.New(problem.BadRequest, "%s", c.text.Get("items.bulk.noprofile"))
		}
		return func(id uuid.UUID, _ *undo) error {
			_, err := c.pages.Workflows.Start(c.Context(), id, workflow.StartInput{ProfileID: &profile})
			return err
		}, nil
	}
	return nil, problem.New(problem.BadRequest, "The form names nothing to do.")
}

// attempts bounds how often an item is read again because somebody else has changed it meanwhile.
const attempts = 5

// changeTags adds a tag to an item, or removes it. It reports whether the item had it otherwise.
func (c *call) changeTags(id uuid.UUID, tag string, add bool) (changed bool, err error) {
	err = c.changeOne(id, func(i *item.Item) map[string]any {
		changed = slices.Contains(i.Tags, tag) != add
		tags := slices.DeleteFunc(slices.Clone(i.Tags), func(t string) bool { return t == tag })
		if add {
			tags = append(tags, tag)
		}
		return map[string]any{"tags": tags}
	})
	return changed, err
}

// setPrivacy sets the privacy of an item, and returns what it was.
func (c *call) setPrivacy(id uuid.UUID, privacy item.Privacy) (former item.Privacy, err error) {
	err = c.changeOne(id, func(i *item.Item) map[string]any {
		former = i.Privacy
		return map[string]any{"privacy": privacy}
	})
	return former, err
}

// changeOne patches an item by what it is now.
func (c *call) changeOne(id uuid.UUID, patch func(*item.Item) map[string]any) (err error) {
	for range attempts {
		var document item.Document
		if document, err = c.pages.Config.Items.Get(c.Context(), id); err != nil {
			return err
		}
		var i *item.Item
		if i, err = item.Decode(document.Bytes); err != nil {
			return err
		}
		_, err = c.pages.Config.Items.Patch(c.Context(), id, mustJSON(patch(i)), revision.Is(document.Revision))
		if !problem.Is(err, problem.RevisionMismatch) {
			return err
		}
	}
	return err
}

// changeAll changes items, and returns what to report.
func (c *call) changeAll(ids []uuid.UUID, key string, change bulk) notice {
	changed, reason := 0, ""
	var back undo
	for _, id := range ids {
		err := change(id, &back)
		if err == nil {
			changed++
		} else if reason == "" {
			reason = c.pages.Explain(c.Request, err).Detail
		}
	}
	if failed := len(ids) - changed; failed > 0 {
		return notice{Key: "items.failed", Count: &failed, Arguments: []any{len(ids)}, Detail: reason, IsProblem: true,
			Undo: back.pack()}
	}
	return notice{Key: key, Count: &changed, Undo: back.pack()}
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
