package spec

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"itemcast/internal/browse/jsontree"
)

// Document is an OpenAPI document as pages use it. It does not change after Read, so it is safe for concurrent use.
type Document struct {
	Base      string // "/api/v1"
	Title     string
	Intro     template.HTML
	Tags      []Tag // those that have operations
	Resources []*Resource
	Index     *Resource         // at "/"; nil when the document has none
	Live      *Operation        // streams the changes of one resource; nil when there is none
	Links     map[string]string // path that reads what a property of this name identifies: "role_id" → "/roles/{id}"

	byAddress *http.ServeMux
}

// Tag is a group of operations.
type Tag struct {
	Name        string
	Description template.HTML
	Operations  []*Operation
}

// Read reads a self-contained OpenAPI document, in JSON, whose paths begin at base. It expects what contract.Load has
// accepted, and fails only for text that is not JSON.
func Read(text []byte, base string) (*Document, error) {
	parsed, err := jsontree.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse the OpenAPI document: %w", err)
	}
	root, _ := parsed.(*jsontree.Object)
	info := root.Object("info")
	d := &Document{Base: base, Title: info.Text("title"), Intro: block(info.Text("description")),
		byAddress: http.NewServeMux()}
	for _, element := range root.List("tags") {
		tag, _ := element.(*jsontree.Object)
		d.Tags = append(d.Tags, Tag{Name: tag.Text("name"), Description: block(tag.Text("description"))})
	}
	d.readPaths(root)
	d.relate()
	d.Tags = slices.DeleteFunc(d.Tags, func(t Tag) bool { return len(t.Operations) == 0 })
	return d, nil
}

func (d *Document) readPaths(root *jsontree.Object) {
	r := newReader(root)
	paths := root.Object("paths")
	for _, path := range paths.Names() {
		resource := r.resource(path, paths.Object(path))
		resource.Excerpt = excerpt(root, path)
		d.Resources = append(d.Resources, resource)
		d.byAddress.Handle(d.Pattern(resource), address{resource})
		if path == "/" {
			d.Index = resource
		}
	}
	d.Links = r.links
}

// Pattern returns a resource's pattern for a mux, without a method.
func (d *Document) Pattern(resource *Resource) string {
	if strings.HasSuffix(resource.Path, "/") {
		return d.Base + resource.Path + "{$}"
	}
	return d.Base + resource.Path
}

// address makes a resource the result of a mux; it is never served.
type address struct{ *Resource }

func (address) ServeHTTP(http.ResponseWriter, *http.Request) {}

// At returns the resource at a URL of this server; nil for none.
func (d *Document) At(u *url.URL) *Resource {
	handler, _ := d.byAddress.Handler(&http.Request{Method: http.MethodGet, URL: u})
	found, _ := handler.(address)
	return found.Resource
}

// Reads returns the GET at a path on this server, which is not escaped; nil for none.
func (d *Document) Reads(path string) *Operation {
	return d.At(&url.URL{Path: path}).Operation(http.MethodGet)
}

// Operation returns the operation with an id; nil for none.
func (d *Document) Operation(id string) *Operation {
	for _, resource := range d.Resources {
		for _, op := range resource.Operations {
			if op.ID == id {
				return op
			}
		}
	}
	return nil
}

// ListOf returns the address of the list in which a link such as "/roles/{id}" is chosen; "" when there is none.
func (d *Document) ListOf(link string) string {
	path, _, identified := strings.Cut(link, "/{id}")
	if !identified || d.get(path) == nil {
		return ""
	}
	return d.Base + path
}

// ListAbove returns the nearest list above an operation, where people choose the resource for the operation. It returns
// nil when there is none.
func (d *Document) ListAbove(op *Operation) *Operation {
	for n := len(op.Resource.Steps) - 1; n > 0; n-- {
		list := d.get("/" + strings.Join(op.Resource.Steps[:n], "/"))
		if list != nil && list.Resource.IsFixed() {
			return list
		}
	}
	return nil
}

// get returns the GET of a path of the document; nil for none.
func (d *Document) get(path string) *Operation {
	for _, resource := range d.Resources {
		if resource.Path == path {
			return resource.Operation(http.MethodGet)
		}
	}
	return nil
}
