package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/workflow/machine"
)

// itemsPerPage is the number of items of a page of the list.
const itemsPerPage = 50

// itemsView is what items.html shows.
type itemsView struct {
	Path       string // of the list
	Here       string // the address of this page of it
	API        string // the same in the browsable API
	NewItem    string
	Filter     template.HTML // the form
	Given      []link        // the criteria; each leads to the list without it
	Head       template.HTML // of the table
	Items      template.HTML // rows
	First      string        // address of the first page
	Previous   string
	Next       string
	Live       string     // address of the changes of items that match
	Rows       string     // address of single rows
	Upload     string     // address for files, by tus; "" for users who may not make items
	Import     string     // a command that brings items in
	Marked     int        // rows that changed since the last visit
	Views      *viewsView // nil for one who has come with an access token
	MayCreate  bool
	MayEdit    bool
	MayPublish bool
	MayDelete  bool
	MayRun     bool
	MayAct     bool // anything with selected items
}

// filterView is the form of the filter.
type filterView struct {
	Path    string // of the list
	Search  string
	Fault   string // of the search
	Choices []field
	Kept    []option // of the address, which the form repeats: names and values
}

// headView is the head of the table.
type headView struct {
	MayAct  bool
	Columns []column
}

// column is a head of the table.
type column struct {
	Text, Class, Href, Sorted, Arrow string
}

func (v *itemsView) apiAddress() string { return v.API }

var itemsScreen = newScreen("items.html", "items_views.html", "item_row.html", "criteria.html")

// Items serves the list of items. Its parameters are those of GET /api/v1/items. Forms change the selected items.
func (p *Pages) Items() http.Handler { return p.serve((*call).listItems, (*call).changeItems) }

// ItemRows serves rows of the list, which a script puts in the place of those that have changed.
func (p *Pages) ItemRows() http.Handler { return p.serve((*call).itemRows, nil) }

func (c *call) itemsPath() string { return c.pages.root + "items" }

func (c *call) listItems() error {
	q := readItemsQuery(c.URL.RawQuery)
	if q.hasBlanks {
		redirect(c.w, c.Request, c.itemsPath()+q.encode())
		return nil
	}
	return c.writeItems(http.StatusOK, q, nil)
}

// writeItems answers with the list, whose form that saves a view may have what the user has sent.
func (c *call) writeItems(status int, q itemsQuery, sent *formView) error {
	last := c.lastVisit()
	view := itemsView{Path: c.itemsPath(), Here: c.itemsPath() + q.encode(), NewItem: c.itemsPath() + "/new",
		API:   c.pages.root + "api/v1/items" + q.without("after", "before").encode(),
		First: c.itemsPath() + q.without("after", "before").encode(),
		Rows:  c.itemsPath() + "/rows", Given: c.given(q), Import: "itemcast import catalogue.csv",
		MayCreate: c.may(account.ItemsCreate), MayEdit: c.may(account.ItemsEdit),
		MayPublish: c.may(account.ItemsEdit) && c.may(account.ItemsPublish), MayDelete: c.may(account.ItemsDelete),
		MayRun: c.may(account.WorkflowsAct)}
	if view.MayCreate {
		view.Upload = c.pages.root + "api/v1/uploads/tus/"
	}
	fault := ""
	page, err := c.pages.Config.Items.List(c.Context(), q.filter, q.paging)
	if shown := problem.Of(err); shown != nil && len(shown.Faults) > 0 {
		status = shown.Code.Status()
		fault = strings.Join(withFaults(c.text, nil, shown.Faults), " ")
	} else if err != nil {
		return err
	}
	view.MayAct = view.MayEdit || view.MayDelete || view.MayRun
	c.fillForms(&view, q, fault)
	if err := c.fillRows(&view, page, last); err != nil {
		return err
	}
	if view.Views, err = c.views(q, sent); err != nil {
		return err
	}
	if n := len(page.Items); n > 0 {
		if page.HasNext {
			view.Next = c.itemsPath() + q.at("after", page.Items[n-1].PageToken()).encode()
		}
		if page.HasPrevious {
			view.Previous = c.itemsPath() + q.at("before", page.Items[0].PageToken()).encode()
		}
	}
	if status == http.StatusOK {
		view.Live = c.pages.root + "api/v1/changes" + q.live(page.ChangeCursor)
		c.setVisit()
	}
	c.show(itemsScreen, status, &view)
	return nil
}

// fillForms fills in the form of the filter, and the head of the table.
func (c *call) fillForms(view *itemsView, q itemsQuery, fault string) {
	of := q.without("after", "before").encode()
	view.Filter = c.part(itemsScreen, "filter", of+" "+fault, func() any {
		return filterView{Path: view.Path, Search: q.filter.Search, Fault: fault, Choices: c.filterChoices(q), Kept: q.kept()}
	})
	view.Head = c.part(itemsScreen, "heads", of+" "+strconv.FormatBool(view.MayAct), func() any {
		return headView{MayAct: view.MayAct, Columns: c.columns(q)}
	})
}

// typicalRow is the size that most rows do not exceed, in bytes.
const typicalRow = 1200

func (c *call) fillRows(view *itemsView, page item.Page, last visit) error {
	var rows strings.Builder
	rows.Grow(len(page.Items) * typicalRow)
	for n := range page.Items {
		listed := &page.Items[n]
		row, marked, err := c.row(listed.ID, listed.Document, view.MayAct, last.mark)
		if err != nil {
			return err
		}
		if marked {
			view.Marked++
		}
		rows.WriteString(string(row))
	}
	view.Items = template.HTML(rows.String()) // each row is escaped
	return nil
}

// filterChoices are the criteria with a choice of values.
func (c *call) filterChoices(q itemsQuery) []field {
	choice := func(name, prefix string, values ...string) field {
		f := field{Name: name, Label: c.text.Get("items." + name), Kind: "choice",
			Options: []option{{Text: c.text.Get("items.any")}}}
		chosen := q.values[name]
		for _, value := range values {
			f.Options = append(f.Options, option{value, c.text.Get(prefix + value), len(chosen) == 1 && chosen[0] == value})
		}
		if len(chosen) > 1 { // from a link: the form has one choice only
			all := strings.Join(chosen, ",")
			f.Options = append(f.Options, option{all, all, true})
		}
		return f
	}
	return []field{
		choice("type", "type.", itemTypes...),
		choice("privacy", "privacy.", privacies...),
		choice("workflow_status", "run.", runStatuses...),
	}
}

var (
	itemTypes = []string{string(item.ItemTypeVideo), string(item.ItemTypeAudio), string(item.ItemTypeImage),
		string(item.ItemTypeDocument), string(item.ItemTypeLive)}
	privacies   = []string{string(item.PrivacyPrivate), string(item.PrivacyUnlisted), string(item.PrivacyPublic)}
	runStatuses = converted[string](machine.Statuses())
)

// columns are the heads of the table. Those that the list can be sorted by lead to that order, or to its reverse.
func (c *call) columns(q itemsQuery) []column {
	sorted := func(class, key string, sort, reverse item.Sort) column {
		col := column{Text: c.text.Get(key), Class: class}
		next := sort
		switch q.order() {
		case sort:
			col.Sorted, col.Arrow, next = direction(sort), arrow(sort), reverse
		case reverse:
			col.Sorted, col.Arrow = direction(reverse), arrow(reverse)
		}
		col.Href = c.itemsPath() + q.sortedBy(next).encode()
		return col
	}
	plain := func(class, key string) column { return column{Text: c.text.Get(key), Class: class} }
	return []column{
		sorted("name", "items.name", item.ByName, item.ByNameDesc),
		plain("type", "items.type"), plain("length", "items.length"), plain("status", "items.status"),
		sorted("time", "items.updated", item.ByUpdatedDesc, item.ByUpdated),
		sorted("time", "items.created", item.ByCreatedDesc, item.ByCreated),
	}
}

func direction(s item.Sort) string {
	if strings.HasPrefix(string(s), "-") {
		return "descending"
	}
	return "ascending"
}

func arrow(s item.Sort) string {
	if strings.HasPrefix(string(s), "-") {
		return "↓"
	}
	return "↑"
}

// given are the criteria of the list, each with the address of the list without it.
func (c *call) given(q itemsQuery) (links []link) {
	for _, name := range q.criteria() {
		label := c.text.Or("items."+name, strings.TrimPrefix(name, "metadata."))
		for _, value := range q.values[name] {
			shown := value
			switch name {
			case "type", "privacy":
				shown = c.text.Or(name+"."+value, value)
			case "workflow_status":
				shown = c.text.Or("run."+value, value)
			}
			links = append(links, link{Href: c.itemsPath() + q.withoutValue(name, value).encode(), Text: label + ": " + shown})
		}
	}
	return links
}

// itemRows answers with the rows of the items that are named, in any order, and nothing for those that are gone.
func (c *call) itemRows() error {
	ids, err := readIDs(c.URL.Query()["id"])
	if err != nil {
		return err
	}
	documents, err := c.pages.Config.Items.GetMany(c.Context(), ids)
	if err != nil {
		return err
	}
	mayAct := c.may(account.ItemsEdit) || c.may(account.ItemsDelete) || c.may(account.WorkflowsAct)
	changed := func(time.Time, time.Time) markKind { return markedChanged }
	rows := make([]template.HTML, 0, len(documents))
	for _, id := range ids {
		document, ok := documents[id]
		if !ok {
			continue
		}
		row, _, err := c.row(id, document, mayAct, changed)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	c.showPart(itemsScreen, "rows", rows)
	return nil
}

// backTo returns the address of the list that a form came from.
func (c *call) backTo() string {
	back := localPath(c.value("back"), c.itemsPath())
	if u, err := url.Parse(back); err != nil || u.Path != c.itemsPath() {
		return c.itemsPath()
	}
	return back
}
