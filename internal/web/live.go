package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"itemcast/internal/item"
	"itemcast/internal/live"
	"itemcast/internal/problem"
)

// maxLiveRows bounds the changes that the page shows; the newest stay.
const maxLiveRows = 100

// liveView is what live.html shows: the newest changes, which a script continues.
type liveView struct {
	Path    string // of the page
	API     string // the same in the browsable API
	Search  string
	Fault   string // of the search
	Choices []field
	Kept    []option
	Given   []link
	Feed    string // address of the changes that follow
	Rate    rateView
	Rows    []liveRow // newest first
	Kinds   string    // JSON: the name of each kind
	Fields  string    // JSON: the name of each field
	List    string    // the address of the list of items
	Items   string    // the address of an item, without its id
	Max     int
	Span    int // how many changes were examined
}

// liveRow is a change.
type liveRow struct {
	Kind     badge
	Name     string
	Href     string // "" for an item that is gone
	Fields   string
	Revision int64
	At       moment
	User     string // id of Who; "" for Itemcast itself
	Who      *string
}

func (v *liveView) apiAddress() string { return v.API }

var liveScreen = newScreen("live.html", "criteria.html")

// Live serves the changes as they happen. Its parameters are those of GET /api/v1/changes that select changes.
func (p *Pages) Live() http.Handler { return p.serve((*call).showLive, nil) }

// liveKinds are the kinds of changes that the page can be limited to.
var liveKinds = []string{"CREATED", "UPDATED", "DELETED", "TRIGGERED", string(live.Entered), string(live.Left)}

func (c *call) showLive() error {
	raw, kinds := c.liveKinds()
	q := readItemsQuery(raw).without("sort", "after", "before")
	q.fill()
	v := liveView{Path: c.pages.root + "live", Search: q.filter.Search, List: c.itemsPath(),
		Items: c.itemsPath() + "/", Max: maxLiveRows,
		Choices: append(c.filterChoices(q), c.kindChoice(kinds)), Kept: q.kept(), Span: live.RecentSpan}
	v.Kinds, v.Fields = c.liveTexts()
	withKinds := func(q itemsQuery) itemsQuery {
		if len(kinds) > 0 {
			q = q.copy()
			q.values["kinds"] = kinds
		}
		return q
	}
	for _, name := range q.criteria() {
		for _, value := range q.values[name] {
			v.Given = append(v.Given, link{Href: v.Path + withKinds(q.withoutValue(name, value)).encode(),
				Text: c.text.Or("items."+name, strings.TrimPrefix(name, "metadata.")) + ": " + c.shownValue(name, value)})
		}
	}
	for _, kind := range kinds {
		v.Given = append(v.Given, link{Href: v.Path + q.encode(),
			Text: c.text.Get("live.kind") + ": " + c.text.Get("change."+kind)})
	}
	status := http.StatusOK
	var filter *item.Filter // nil matches every item without examining it
	if len(q.criteria()) > 0 {
		filter = &q.filter
	}
	events, cursor, err := c.pages.Recent(c.Context(), filter, converted[live.Kind](kinds))
	if shown := problem.Of(err); shown != nil && len(shown.Faults) > 0 {
		status, v.Fault = shown.Code.Status(), strings.Join(withFaults(c.text, nil, shown.Faults), " ")
	} else if err != nil {
		return err
	}
	v.API = c.pages.root + "api/v1/changes" + withKinds(q).encode()
	if status == http.StatusOK {
		v.Feed = c.pages.root + "api/v1/changes" + withKinds(q).live(cursor)
	}
	v.Rate = c.rate(events, time.Now())
	if err := c.fillLive(&v, events); err != nil {
		return err
	}
	c.show(liveScreen, status, &v)
	return nil
}

// liveKinds takes the kinds of changes out of the query.
func (c *call) liveKinds() (rest string, kinds []string) {
	values := c.URL.Query()
	for _, kind := range values["kinds"] {
		if slices.Contains(liveKinds, kind) && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	values.Del("kinds")
	return values.Encode(), kinds
}

func (c *call) kindChoice(chosen []string) field {
	f := field{Name: "kinds", Label: c.text.Get("live.kind"), Kind: "choice",
		Options: []option{{Text: c.text.Get("items.any")}}}
	for _, kind := range liveKinds {
		f.Options = append(f.Options, option{kind, c.text.Get("change." + kind), slices.Contains(chosen, kind)})
	}
	return f
}

// shownValue returns the value of a criterion as people read it.
func (c *call) shownValue(name, value string) string {
	switch name {
	case "type", "privacy":
		return c.text.Or(name+"."+value, value)
	case "workflow_status":
		return c.text.Or("run."+value, value)
	}
	return value
}

// liveTexts returns the names of kinds and fields, for the script.
func (c *call) liveTexts() (kinds, fields string) {
	ofKinds, ofFields := map[string]string{}, map[string]string{}
	for _, kind := range liveKinds {
		ofKinds[kind] = c.text.Get("change." + kind)
	}
	for _, name := range liveFields {
		ofFields[name] = c.text.Or("item."+name, name)
	}
	return string(mustJSON(ofKinds)), string(mustJSON(ofFields))
}

// liveFields are the fields whose names the pages translate. The others have the API's.
var liveFields = []string{"name", "description", "type", "privacy", "language", "producer", "embed_code", "player_url",
	"duration", "assets", "snapshots", "snapshot_id", "workflow", "published_at", "client_data", "tags", "metadata"}

func (c *call) fillLive(v *liveView, events []*live.Event) error {
	n := names{}
	for _, e := range slices.Backward(events[max(0, len(events)-maxLiveRows):]) {
		var document struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(e.Document, &document); err != nil {
			return err
		}
		row := liveRow{Kind: badge{strings.ToLower(string(e.Kind)), c.text.Or("change."+string(e.Kind), string(e.Kind))},
			Name: document.Name, Revision: e.Revision, At: secondOf(e.OccurredAt), Who: n.of(e.Actor)}
		if e.Actor != nil {
			row.User = e.Actor.String()
		}
		if e.Kind != "DELETED" {
			row.Href = v.Items + e.ItemID.String()
		}
		var changed []string
		for _, name := range e.ChangedFields {
			changed = append(changed, c.text.Or("item."+name, name))
		}
		row.Fields = strings.Join(changed, ", ")
		v.Rows = append(v.Rows, row)
	}
	return c.fillNames(n)
}
