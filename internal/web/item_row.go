package web

import (
	"net/url"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/publicurl"
	"itemcast/internal/web/text"
)

// itemRow is an item as a row of the list shows it.
type itemRow struct {
	ID          string
	Href        string
	Name        string
	Mark        string // why the row is marked; "" for no mark
	Select      string // label of the box that selects it
	MayAct      bool
	Thumb       string // address of a picture; "" for none
	Type        string
	TypeText    string
	Duration    string
	Privacy     string
	PrivacyText string
	Workflow    *badge
	Tags        []link
	Updated     moment
	Created     moment
	Revision    int64
}

// badge is a state in a word.
type badge struct{ Status, Text string }

func (c *call) itemRow(i *item.Item, mayAct bool) itemRow {
	id := i.ID.String()
	row := itemRow{ID: id, Href: c.pages.root + "items/" + id, Name: i.Name, MayAct: mayAct,
		Select: c.text.Get("items.select", i.Name), Thumb: c.pages.thumb(i), Type: string(i.Type),
		TypeText: c.text.Get("type." + string(i.Type)), Privacy: string(i.Privacy),
		PrivacyText: c.text.Get("privacy." + string(i.Privacy)), Workflow: workflowBadge(c.text, i.Workflow),
		Updated: momentOf(c.text, i.UpdatedAt), Created: momentOf(c.text, i.CreatedAt), Revision: i.Revision}
	if i.Duration != nil {
		row.Duration = text.Duration(*i.Duration)
	}
	for _, tag := range i.Tags {
		row.Tags = append(row.Tags, link{Href: c.pages.root + "items?tags=" + url.QueryEscape(tag), Text: tag})
	}
	return row
}

// workflowBadge shows a workflow; nil for an item without one, and for a profile whose items take no steps.
func workflowBadge(l *text.Language, w *item.ItemWorkflow) *badge {
	if w == nil {
		return nil
	}
	b := &badge{Status: w.Status, Text: l.Or("run."+w.Status, w.Status)}
	if w.CurrentAction != nil {
		b.Text += ": " + *w.CurrentAction
	}
	return b
}

// thumb returns the address of the picture that represents an item, else its first one; "" for none.
func (p *Pages) thumb(i *item.Item) string {
	for _, s := range i.Snapshots {
		if i.SnapshotID == nil || *i.SnapshotID == s.ID {
			return p.local(s.URL)
		}
	}
	return ""
}

// local returns the path of a URL of this server, so that a page works under any name by which the browser reaches the
// server; another URL is returned as it is.
func (p *Pages) local(address string) string {
	origin := publicurl.Origin(p.PublicURL)
	if path, ours := strings.CutPrefix(address, origin); ours && strings.HasPrefix(path, "/") {
		return path
	}
	return address
}
