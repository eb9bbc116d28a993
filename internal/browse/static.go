package browse

import (
	"errors"
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
	nav    []navGroup
	op     *operation // that is shown
}

// navGroup is what the navigation says of a tag, rendered once.
type navGroup struct {
	head    string
	entries []navEntry
}

type navEntry struct {
	op   *operation
	html string
}

// navigation leads to what a user may do; whoever is not known sees all that there is.
func (s *static) navigation(v *visit) template.HTML {
	var out strings.Builder
	for _, g := range s.nav {
		begun := false
		for _, e := range g.entries {
			if v.known && !e.op.May(v.actor.Permissions) {
				continue
			}
			if !begun {
				out.WriteString(g.head)
				begun = true
			}
			if e.op == s.op {
				out.WriteString(strings.Replace(e.html, "<a ", `<a aria-current="page" `, 1))
			} else {
				out.WriteString(e.html)
			}
		}
		if begun {
			out.WriteString("</ul></section>\n")
		}
	}
	return template.HTML(out.String()) // of templates
}

// prepare renders what the pages of each operation have in common.
func (a *API) prepare() error {
	rendered := func(name string, data any) (string, error) {
		var out strings.Builder
		err := templates.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	common := static{Site: a.document.title, Base: a.document.base + "/", Assets: a.options.Assets}
	for _, t := range a.document.tags {
		head, err := rendered("group", t)
		g := navGroup{head: head}
		for _, op := range t.Operations {
			html, of := rendered("entry", struct {
				*operation
				Href string
			}{op, a.href(op)})
			g.entries, err = append(g.entries, navEntry{op, html}), errors.Join(err, of)
		}
		if err != nil {
			return fmt.Errorf("render the navigation: %w", err)
		}
		common.nav = append(common.nav, g)
	}
	a.static = map[*operation]*static{nil: &common}
	for _, res := range a.document.resources {
		for _, op := range res.operations {
			own := common
			own.op = op
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
