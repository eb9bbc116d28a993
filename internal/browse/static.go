package browse

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/browse/form"
	"itemcast/internal/browse/spec"
	"itemcast/internal/publicurl"
)

// static is the part of an operation's pages that is the same for all requests.
type static struct {
	Site    string // the API's title
	Root    string // the path of the public URL, with a slash at its end
	Base    string // the address of the index
	Assets  Assets
	Details template.HTML // the whole documentation of the operation

	op     *spec.Operation // nil for an address that the document does not know
	form   *form.Form      // nil with op
	groups []navGroup
}

// navGroup is a tag in the navigation, and navEntry an operation.
type navGroup struct {
	head    string
	entries []navEntry
}

type navEntry struct {
	op   *spec.Operation
	html string
}

// prepare renders the static parts for every operation. The key nil has those for all other addresses.
func prepare(document *spec.Document, options Options) (map[*spec.Operation]*static, error) {
	common := static{Site: document.Title, Root: publicurl.Path(options.PublicURL) + "/", Base: document.Base + "/",
		Assets: options.Assets}
	for _, tag := range document.Tags {
		group, err := newNavGroup(document, tag)
		if err != nil {
			return nil, err
		}
		common.groups = append(common.groups, group)
	}
	all := map[*spec.Operation]*static{nil: &common}
	for _, resource := range document.Resources {
		for _, op := range resource.Operations {
			own := common
			own.op = op
			var err error
			if own.form, err = form.New(document, op); err != nil {
				return nil, err
			}
			if own.Details, err = details(op); err != nil {
				return nil, err
			}
			all[op] = &own
		}
	}
	return all, nil
}

func newNavGroup(document *spec.Document, tag spec.Tag) (group navGroup, err error) {
	if group.head, err = render("group", tag); err != nil {
		return group, err
	}
	for _, op := range tag.Operations {
		html, err := render("entry", struct {
			*spec.Operation
			Href string
		}{op, href(document, op)})
		if err != nil {
			return group, err
		}
		group.entries = append(group.entries, navEntry{op, html})
	}
	return group, nil
}

// href returns the address of an operation. If that depends on parameters, href returns the address of its
// documentation.
func href(document *spec.Document, op *spec.Operation) string {
	switch {
	case !op.Resource.IsFixed():
		return document.Base + "/?" + showParameter + "=" + url.QueryEscape(op.ID)
	case op.Method == http.MethodGet:
		return document.Base + op.Path
	}
	return document.Base + op.Path + "#" + op.ID
}

// navigation lists the operations that a user may call; without a user, all operations.
func (s *static) navigation(user user) template.HTML {
	var out strings.Builder
	for _, group := range s.groups {
		isOpen := false
		for _, entry := range group.entries {
			if user.known && !user.may(entry.op) {
				continue
			}
			if !isOpen {
				out.WriteString(group.head)
				isOpen = true
			}
			if entry.op == s.op {
				out.WriteString(strings.Replace(entry.html, "<a ", `<a aria-current="page" `, 1))
			} else {
				out.WriteString(entry.html)
			}
		}
		if isOpen {
			out.WriteString("</ul></section>\n")
		}
	}
	return template.HTML(out.String()) // escaped by the templates
}
