package browse

import (
	"html/template"
	"net/url"
	"strings"

	"itemcast/internal/browse/spec"
)

// The parameters of the page of the index. They never reach the API.
const (
	searchParameter = "q"  // words to find in operations
	showParameter   = "op" // the id of the operation to document
)

// search holds the parameters of the index page.
type search struct{ words, show string }

// cutSearch removes the parameters of the index page from a query.
func cutSearch(query url.Values) (rest string, s search) {
	s = search{words: strings.TrimSpace(query.Get(searchParameter)), show: query.Get(showParameter)}
	query.Del(searchParameter)
	query.Del(showParameter)
	return query.Encode(), s
}

// indexView is the operations of a document, by tag.
type indexView struct {
	Intro  template.HTML
	Query  string // "" for all operations
	Hits   int
	Groups []indexGroup
}

type indexGroup struct {
	Name        string
	Description template.HTML
	Entries     []indexEntry
}

type indexEntry struct {
	*spec.Operation
	Href    string
	Allowed bool
}

// index completes the index page: with the documentation of one operation, or with the operations that match a search.
func (p *Pages) index(page *view, find search) {
	if op := p.document.Operation(find.show); op != nil {
		page.documents(p.static[op])
		if list := p.document.ListAbove(op); list != nil {
			page.Choose = &relatedLink{list, href(p.document, list)}
		}
		return
	}
	index := &indexView{Intro: p.document.Intro, Query: find.words}
	words := strings.Fields(strings.ToLower(find.words))
	for _, tag := range p.document.Tags {
		group := indexGroup{Name: tag.Name, Description: tag.Description}
		for _, op := range tag.Operations {
			if op.Matches(words) {
				group.Entries = append(group.Entries, indexEntry{op, href(p.document, op), page.user.may(op)})
			}
		}
		if len(group.Entries) > 0 {
			index.Hits += len(group.Entries)
			index.Groups = append(index.Groups, group)
		}
	}
	page.Index = index
}
