package browse

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// static is what a page has that is the same for everybody, whatever the API answers.
type static struct {
	Site   string // the API's title
	Base   string // the address of the index
	Assets Assets
	Nav    template.HTML
}

// prepare renders what the pages of each operation have in common.
func (a *API) prepare() error {
	type entry struct {
		*operation
		Href string
	}
	type group struct {
		Name    string
		Entries []entry
	}
	var groups []group
	for _, t := range a.document.tags {
		g := group{Name: t.Name}
		for _, op := range t.Operations {
			g.Entries = append(g.Entries, entry{op, a.href(op)})
		}
		groups = append(groups, g)
	}
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, "nav.html", groups); err != nil {
		return fmt.Errorf("render the navigation: %w", err)
	}
	common := static{Site: a.document.title, Base: a.document.base + "/", Assets: a.options.Assets, Nav: template.HTML(out.String())} // of a template
	a.static = map[*operation]*static{nil: &common}
	for _, res := range a.document.resources {
		for _, op := range res.operations {
			own, mark := common, `data-op="`+template.HTMLEscapeString(op.ID)+`"`
			own.Nav = template.HTML(strings.Replace(out.String(), mark, mark+` aria-current="page"`, 1)) // the same
			a.static[op] = &own
		}
	}
	return nil
}

// href is where an operation can be used; where that depends on parameters, where it is documented.
func (a *API) href(op *operation) string {
	switch {
	case !op.resource.isFixed():
		return a.document.base + "/?" + showParameter + "=" + url.QueryEscape(op.ID)
	case op.Method == http.MethodGet:
		return a.document.base + op.Path
	}
	return a.document.base + op.Path + "#" + op.ID
}
