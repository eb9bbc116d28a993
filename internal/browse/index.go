package browse

import (
	"html/template"
	"net/url"
	"strings"
)

// indexView is all operations of a document, those that somebody looks for, or one with its documentation.
type indexView struct {
	Intro  template.HTML
	Query  string
	Hits   int
	Groups []indexGroup
	Shown  *operation
	Use    string // where the shown operation can be used, if it has an address
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

func (p *pages) index(own url.Values, v *visit) *indexView {
	index := &indexView{Intro: p.document.intro, Query: strings.TrimSpace(own.Get(searchParameter)), Shown: p.document.find(own.Get(showParameter))}
	if index.Shown != nil {
		if index.Shown.resource.isFixed() {
			index.Use = p.href(index.Shown)
		}
		return index
	}
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
	return index
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
