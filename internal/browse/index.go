package browse

import (
	"html/template"
	"net/url"
	"strings"
)

// indexView is all operations of a document, or those that somebody looks for.
type indexView struct {
	Intro  template.HTML
	Query  string
	Hits   int
	Groups []indexGroup
}

type indexGroup struct {
	Name        string
	Description template.HTML
	Entries     []indexEntry
}

type indexEntry struct {
	*operation
	Href    string
	Allowed bool
}

// index adds to the page of the root what there is; or makes it the documentation of one operation.
func (p *pages) index(page *view, own url.Values, v *visit) {
	if op := p.document.find(own.Get(showParameter)); op != nil {
		page.static, page.Title, page.Operation, page.Shown = p.static[op], op.Summary, op, true
		if list := p.document.listFor(op); list != nil {
			page.Choose = &relatedLink{list, p.href(list)}
		}
		return
	}
	index := &indexView{Intro: p.document.intro, Query: strings.TrimSpace(own.Get(searchParameter))}
	words := strings.Fields(strings.ToLower(index.Query))
	for _, t := range p.document.tags {
		group := indexGroup{Name: t.Name, Description: t.Description}
		for _, op := range t.Operations {
			if op.matches(words) {
				group.Entries = append(group.Entries, indexEntry{op, p.href(op), op.May(v.actor.Permissions)})
			}
		}
		if len(group.Entries) > 0 {
			index.Hits += len(group.Entries)
			index.Groups = append(index.Groups, group)
		}
	}
	page.Index = index
}

// listFor is the list in which what an operation is for is found; nil when there is none.
func (d *document) listFor(op *operation) *operation {
	for n := len(op.resource.steps) - 1; n > 0; n-- {
		if list := d.readAt("/" + strings.Join(op.resource.steps[:n], "/")); list != nil && list.resource.isFixed() {
			return list
		}
	}
	return nil
}

// matches reports whether an operation says all words.
func (op *operation) matches(words []string) bool {
	for _, word := range words {
		if !strings.Contains(op.searched, word) {
			return false
		}
	}
	return true
}
