package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// viewsView are the saved views above the list, and the form that saves the present one.
type viewsView struct {
	Action string
	API    string // address
	Views  []savedView
	Query  string // of the list as it is
	Here   string // its address
	Form   formView
	Open   bool
}

// savedView is a saved view as a link, and what its user may do with it.
type savedView struct {
	link

	ID        string
	MayDelete bool
	Shared    bool
}

// views returns the saved views that this user sees; nil for one who has come with an access token.
func (c *call) views(q itemsQuery, form *formView) (*viewsView, error) {
	found, err := c.recentViews()
	if problem.Is(err, problem.Forbidden) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	query := strings.TrimPrefix(q.without("after", "before").encode(), "?")
	v := &viewsView{Action: c.itemsPath(), API: c.pages.root + "api/v1/me/views", Query: query,
		Here: c.itemsPath() + q.encode(), Form: c.viewForm("")}
	if form != nil {
		v.Form, v.Open = *form, true
	}
	for n := range found {
		s := &found[n]
		shown := readItemsQuery(s.Query)
		saved := savedView{ID: s.ID.String(), Shared: s.Shared, MayDelete: s.UserID == c.actor.UserID,
			link: link{Href: c.itemsPath() + shown.encode(), Text: s.Name}}
		saved.Current = strings.TrimPrefix(shown.encode(), "?") == query
		v.Views = append(v.Views, saved)
	}
	return v, nil
}

// viewsFor is how long a node keeps the views of a user. What is saved by the API, or on another node, may appear so
// much later.
const viewsFor = 5 * time.Second

// keptViews are the views of a user, as they were at a time.
type keptViews struct {
	views []item.SavedView
	until time.Time
}

// maxKeptViews is the number of users whose views a node keeps.
const maxKeptViews = 512

// recentViews returns the views that this user sees. A page that reports something, such as a view that has just been
// saved on another node, reads them anew.
func (c *call) recentViews() ([]item.SavedView, error) {
	key := c.actor.AccountID.String() + c.actor.UserID.String() + strconv.FormatBool(c.actor.Token != nil)
	kept, ok := c.pages.views.Get(key)
	if _, err := c.Cookie(noticeCookie); ok && err != nil && c.Method == http.MethodGet && time.Now().Before(kept.until) &&
		c.may(account.ItemsView) {
		return kept.views, nil
	}
	found, err := c.pages.Config.Items.Views(c.Context())
	if err == nil {
		c.pages.views.Add(key, keptViews{found, time.Now().Add(viewsFor)})
	}
	return found, err
}

func (c *call) viewForm(name string) formView {
	return formView{Fields: []field{{Name: "name", Form: "view-", Label: c.text.Get("views.name"),
		Hint: c.text.Get("views.name.hint"), Kind: "text", MaxLength: 100, Required: true, Value: name}}}
}

// saveView saves the list as it is under a name.
func (c *call) saveView() error {
	in := item.SavedViewInput{Name: c.value("name"), Query: c.value("query"), Shared: c.value("shared") != ""}
	saved, err := c.pages.Config.Items.SaveView(c.Context(), in)
	if wrong := refusal(err); wrong != nil {
		return c.writeItems(wrong.Code.Status(), readItemsQuery(in.Query).without("after", "before"),
			new(c.wrongForm(c.viewForm(in.Name), wrong)))
	}
	if err != nil {
		return err
	}
	c.pages.views.Purge()
	return c.seeOther(c.itemsPath()+readItemsQuery(saved.Query).encode(), done("views.saved", saved.Name))
}

// deleteView deletes a view, and shows the list that it was: who wants it back saves it again.
func (c *call) deleteView() error {
	id, err := uuid.Parse(c.value("view"))
	if err != nil {
		return problem.New(problem.BadRequest, "The form names no view.")
	}
	views, err := c.pages.Config.Items.Views(c.Context())
	if err != nil {
		return err
	}
	to, name := c.itemsPath(), ""
	for n := range views {
		if views[n].ID == id {
			to, name = c.itemsPath()+readItemsQuery(views[n].Query).encode(), views[n].Name
		}
	}
	report := done("views.deleted", name)
	if err := c.pages.Config.Items.DeleteView(c.Context(), id); err != nil {
		report = c.problemNotice(err)
	}
	c.pages.views.Purge()
	return c.seeOther(to, report)
}
