package spec

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/browse/jsontree"
)

// methodOrder is the order in which a page offers methods.
var methodOrder = []string{
	http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete,
}

// allowOrder is the order of the Allow header.
var allowOrder = []string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
}

// reader reads the paths and operations of a document.
type reader struct{ schemas }

func newReader(root *jsontree.Object) *reader { return &reader{newSchemas(root)} }

func (r *reader) resource(path string, item *jsontree.Object) *Resource {
	resource := &Resource{Path: path, Steps: Steps(path)}
	for _, name := range item.Names() {
		method := strings.ToUpper(name)
		if slices.Contains(methodOrder, method) {
			op := r.operation(method, path, item.List("parameters"), item.Object(name))
			op.Resource = resource
			resource.Operations = append(resource.Operations, op)
		}
	}
	slices.SortStableFunc(resource.Operations, func(a, b *Operation) int {
		return cmp.Compare(slices.Index(methodOrder, a.Method), slices.Index(methodOrder, b.Method))
	})
	resource.Allow = allow(resource)
	return resource
}

func allow(resource *Resource) string {
	var methods []string
	for _, method := range allowOrder {
		if resource.Operation(method) == nil {
			continue
		}
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

func (r *reader) operation(method, path string, shared []any, node *jsontree.Object) *Operation {
	description := node.Text("description")
	op := &Operation{
		Method:      method,
		Path:        path,
		ID:          cmp.Or(node.Text("operationId"), strings.ToLower(method)+path),
		Summary:     cmp.Or(node.Text("summary"), node.Text("operationId"), method+" "+path),
		Description: block(description),
		Deprecated:  node.IsTrue("deprecated"),
		tags:        node.Texts("tags"),
	}
	for _, name := range node.Texts("x-permission") {
		op.Permissions = append(op.Permissions, account.Permission(name))
	}
	for _, element := range slices.Concat(shared, node.List("parameters")) {
		p := r.parameter(element)
		op.Parameters = append(slices.DeleteFunc(op.Parameters, p.replaces), p)
	}
	if body, _ := r.follow(node.Get("requestBody")); body != nil {
		op.BodyRequired = body.IsTrue("required")
		op.Bodies = r.bodies(body.Object("content"))
	}
	responses := node.Object("responses")
	for _, status := range responses.Names() {
		op.Responses = append(op.Responses, r.response(status, responses.Get(status)))
	}
	op.Follows, op.unless = readFollows(responses), readUnless(node.Object("x-unless"))
	words := append([]string{method, path, op.ID, op.Summary, description}, op.tags...)
	op.searched = strings.ToLower(strings.Join(words, " "))
	return op
}

func (r *reader) parameter(node any) Parameter {
	o, _ := r.follow(node)
	p := Parameter{
		Name:        o.Text("name"),
		In:          o.Text("in"),
		Description: inline(o.Text("description")),
		Required:    o.IsTrue("required"),
		Deprecated:  o.IsTrue("deprecated"),
		Prefix:      o.Text("x-prefix"),
		SameAs:      o.Text("x-same-as"),
		Example:     o.Get("example"),
		Schema:      r.read(o.Get("schema")),
	}
	return p
}

func (r *reader) bodies(content *jsontree.Object) []Body {
	var bodies []Body
	for _, mediaType := range content.Names() {
		schema := r.read(content.Object(mediaType).Get("schema"))
		bodies = append(bodies, Body{MediaType: mediaType, Schema: schema})
	}
	return bodies
}

func (r *reader) response(status string, node any) Response {
	o, _ := r.follow(node)
	response := Response{
		Status:      status,
		Description: inline(o.Text("description")),
		Bodies:      r.bodies(o.Object("content")),
	}
	headers := o.Object("headers")
	for _, name := range headers.Names() {
		h, _ := r.follow(headers.Get(name))
		response.Headers = append(response.Headers,
			Header{Name: name, Description: inline(h.Text("description")), Schema: r.read(h.Get("schema"))})
	}
	return response
}
