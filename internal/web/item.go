package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/web/text"
)

// itemView is what item.html shows. Each part is made by the file of its name.
type itemView struct {
	Path       string // of this page
	List       string
	Live       string // address of the item's changes
	API        string // the item in the browsable API
	Name       string
	Type       string
	TypeText   string
	Thumb      string
	Player     *playerView // nil: there is nothing to play yet
	Duration   string
	Privacy    badge
	Workflow   *badge
	Created    moment
	Updated    moment
	Delete     string // address of the question; "" for users who may not
	News       *newsView
	Form       formView
	Files      filesView
	Attach     *uploadView // nil for users who may not edit it
	Run        *runView
	History    historyView
	Deliveries *deliveriesView // nil for users who may not see them
	Developer  developerView
}

func (v *itemView) apiAddress() string { return v.API }

var itemScreen = newScreen("item.html", "item_form.html", "item_files.html", "item_upload.html",
	"item_workflow.html", "run_steps.html", "item_history.html",
	"item_deliveries.html", "item_developer.html")

// Item serves the page of an item. Its forms have the field do, which says what they do.
func (p *Pages) Item() http.Handler { return p.serve((*call).showItem, (*call).changeItem) }

var errNoItem = problem.New(problem.NotFound, "There is no item with this id that you may see.")

// itemAt reads the item of the address.
func (c *call) itemAt() (*item.Item, error) {
	id, err := uuid.Parse(c.PathValue("id"))
	if err != nil {
		return nil, errNoItem
	}
	document, err := c.pages.Config.Items.Get(c.Context(), id)
	if err != nil {
		return nil, err
	}
	return item.Decode(document.Bytes)
}

func (c *call) itemPath(id uuid.UUID) string { return c.pages.root + "items/" + id.String() }

func (c *call) showItem() error {
	c.cursor = c.pages.Cursor() // before the item is read, so that the page misses no change
	i, err := c.itemAt()
	if err != nil {
		return err
	}
	fields, err := c.itemFields(i)
	if err != nil {
		return err
	}
	return c.writeItem(http.StatusOK, i, c.newForm(fields, i))
}

// writeItem answers with the item's page, whose form may have what the user has sent.
func (c *call) writeItem(status int, i *item.Item, form formView) (err error) {
	id := i.ID.String()
	v := &itemView{Path: c.itemPath(i.ID), List: c.itemsPath(), API: c.pages.root + "api/v1/items/" + id,
		Live: c.pages.root + "api/v1/changes?" + url.Values{"id": {id}, "after": {c.cursor}}.Encode(),
		Name: i.Name, Type: string(i.Type),
		TypeText: c.text.Get("type." + string(i.Type)), Thumb: c.pages.thumb(i), Player: c.player(i),
		Privacy:  badge{string(i.Privacy), c.text.Get("privacy." + string(i.Privacy))},
		Workflow: workflowBadge(c.text, i.Workflow), Created: momentOf(c.text, i.CreatedAt),
		Updated: momentOf(c.text, i.UpdatedAt), Form: form, Files: c.files(i),
		Attach: c.uploads(i)}
	if i.Duration != nil {
		v.Duration = text.Duration(*i.Duration)
	}
	if c.may(account.ItemsDelete) {
		v.Delete = c.itemsPath() + "/confirm?" + url.Values{"id": {id}, "back": {c.itemsPath()}}.Encode()
	}
	names := names{}
	if v.Run, err = c.run(i, names); err != nil {
		return err
	}
	if v.History, err = c.history(i, names); err != nil {
		return err
	}
	if err := c.fillNames(names); err != nil {
		return err
	}
	v.News = c.news(v.History)
	if v.Deliveries, err = c.deliveries(i.ID); err != nil {
		return err
	}
	if v.Developer, err = c.developer(i); err != nil {
		return err
	}
	c.show(itemScreen, status, v)
	return nil
}

// names are the names of users that a page shows, by id. They are read in one statement when all are known.
type names map[uuid.UUID]*string

// of returns where the name of a user will be. System stands for nobody.
func (n names) of(id *uuid.UUID) *string {
	if id == nil {
		return new("Itemcast")
	}
	if n[*id] == nil {
		n[*id] = new("–") // of a user who has been removed
	}
	return n[*id]
}

func (c *call) fillNames(n names) error {
	if len(n) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, 0, len(n))
	for id := range n {
		ids = append(ids, id)
	}
	found, err := c.pages.Users.Names(c.Context(), ids)
	for id, name := range found {
		*n[id] = cmp.Or(name, c.text.Get("unnamed"))
	}
	return err
}

// newsView says what others have saved since the form of a page was loaded.
type newsView struct {
	Entries []entryView
}

// news returns what has changed since the revision that a script names; nil for nothing.
func (c *call) news(h historyView) *newsView {
	since, err := strconv.ParseInt(c.URL.Query().Get("since"), 10, 64)
	if err != nil {
		return nil
	}
	var news newsView
	for _, e := range h.Entries {
		if e.Number > since && len(e.Differences) > 0 {
			news.Entries = append(news.Entries, e)
		}
	}
	if len(news.Entries) == 0 {
		return nil
	}
	return &news
}

// changeItem does what a form of the page says.
func (c *call) changeItem() error {
	c.cursor = c.pages.Cursor()
	i, err := c.itemAt()
	if err != nil {
		return err
	}
	byID := func(do func(uuid.UUID) (notice, error)) func(*item.Item) (notice, error) {
		return func(i *item.Item) (notice, error) { return do(i.ID) }
	}
	act := byID(c.act)
	do, known := map[string]func(*item.Item) (notice, error){
		"restore": c.restore, "poster": c.choosePoster, "trigger": c.trigger, "redeliver": c.redeliver,
		"start": c.startRun, "cancel": byID(c.cancelRun), "complete": act, "approve": act, "reject": act,
	}[c.value("do")]
	if !known {
		return c.saveItem(i)
	}
	done, err := do(i)
	if err != nil {
		done = c.problemNotice(err)
	}
	return c.seeOther(c.itemPath(i.ID), done)
}
