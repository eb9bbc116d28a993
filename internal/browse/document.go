package browse

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// document is what pages need of an OpenAPI document, read once.
type document struct {
	base      string // "/api/v1"
	title     string
	intro     template.HTML
	tags      []tag
	resources []*resource       // in the document's order
	index     *resource         // at "/"; nil when the document has none
	live      *operation        // that streams the changes of one thing; nil when there is none
	named     map[string]string // where what a member of this name names is read
}

// tag is a group of operations.
type tag struct {
	Name        string
	Description template.HTML
	Operations  []*operation
}

// resource is a path of the document.
type resource struct {
	path       string   // "/items/{id}"
	steps      []string // "items", "{id}"
	operations []*operation
	children   []*resource // one literal step below, or several without parameters
	described  []byte      // the answer to OPTIONS
	allow      string
}

// operation is what a method does at a path.
type operation struct {
	Method, ID, Path, Summary string
	Description               template.HTML
	Permissions               []account.Permission
	Deprecated                bool
	Details                   template.HTML // its whole documentation

	resource   *resource
	searched   string // in lower case, what a search looks at
	tags       []string
	parameters []parameter
	bodies     []body
	bodyNeeded bool
	forClients bool // it needs a body that nobody can type, such as a file
	answers    []answer
	filter     []field // of a GET: the query's parameters, as a form
	rows       string  // of a GET that answers a list: the path of an element, /users/{id}; "" for none
	asides     []field // of any other: those and the headers, beside the body's; without those that forms set by themselves
}

// parameter of an operation.
type parameter struct {
	name, in, description string
	required, explode     bool
	prefix                string // x-prefix: it stands for every name that begins with this
	example               any
	*schema
}

// body is one media type that an operation takes.
type body struct {
	mediaType string
	*schema
	fields []field
}

// answer of an operation.
type answer struct {
	status, description string
	headers             []header
	types               []body
}

type header struct {
	name, description string
	*schema
}

// taken are the ids of the parts of a page; the others are those of operations.
var taken = []string{"main", "search", "operations", "live", "filter", "details", "curl", "status", "headers", "body", "fold", "changed", "related", "about"}

// methodOrder is that in which a page offers methods.
var methodOrder = []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete}

func readDocument(text []byte, base string) (*document, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("read a contract for its pages: %w", err)
	}
	root, _ := parsed.(*object)
	r := &reader{schemas: schemas{spec: spec{root}, known: map[string]*schema{}, links: map[string]string{}}}
	d := &document{base: base, title: root.object("info").text("title"), intro: markdown(root.object("info").text("description"))}
	for _, one := range root.list("tags") {
		o, _ := one.(*object)
		d.tags = append(d.tags, tag{Name: o.text("name"), Description: markdown(o.text("description"))})
	}
	paths := root.object("paths")
	for _, path := range paths.keys() {
		res := r.resource(path, paths.object(path))
		res.described = describe(root, path)
		d.resources = append(d.resources, res)
		if path == "/" {
			d.index = res
		}
	}
	d.relate()
	d.named = r.links
	for _, res := range d.resources {
		for _, op := range res.operations {
			if slices.Contains(taken, op.ID) {
				return nil, fmt.Errorf("prepare pages: the operationId %s is the name of a part of every page", op.ID)
			}
			d.findLists(op)
			if err := op.render(); err != nil {
				return nil, err
			}
			d.group(op)
			d.findRows(op)
			if op.streamsChangesOf() {
				d.live = op
			}
		}
	}
	d.tags = slices.DeleteFunc(d.tags, func(t tag) bool { return len(t.Operations) == 0 })
	return d, nil
}

// render prepares what does not depend on any request.
func (op *operation) render() error {
	var err error
	if op.Details, err = details(op); err != nil {
		return err
	}
	if err := render(op.filter, op.ID, true); err != nil {
		return err
	}
	if err := render(op.asides, op.ID, false); err != nil {
		return err
	}
	for i := range op.bodies {
		if err := render(op.bodies[i].fields, op.ID, false); err != nil {
			return err
		}
	}
	return nil
}

// relate finds what lies below each resource that the same parameters lead to.
func (d *document) relate() {
	for _, parent := range d.resources {
		for _, child := range d.resources {
			below := len(child.steps) - len(parent.steps)
			if parent == d.index || below < 1 || !slices.Equal(child.steps[:len(parent.steps)], parent.steps) {
				continue
			}
			if !slices.ContainsFunc(child.steps[len(parent.steps):], isVariable) {
				parent.children = append(parent.children, child)
			}
		}
	}
}

// findLists finds where what fields name is found.
func (d *document) findLists(op *operation) {
	fields := [][]field{op.filter, op.asides}
	for i := range op.bodies {
		fields = append(fields, op.bodies[i].fields)
	}
	for _, some := range fields {
		for i := range some {
			if path, _, ok := strings.Cut(some[i].link, "/{id}"); ok && d.readAt(path) != nil {
				some[i].Lists = d.base + path
			}
		}
	}
}

// readAt is the operation that reads what is at a path of the document; nil when there is none.
func (d *document) readAt(path string) *operation {
	for _, res := range d.resources {
		if res.path == path {
			return res.operation(http.MethodGet)
		}
	}
	return nil
}

// findRows finds where the elements of a list are read: where one of their type is, or else below the list.
func (d *document) findRows(op *operation) {
	listed := op.listed()
	if listed == nil {
		return
	}
	for _, res := range d.resources {
		if strings.Count(res.path, "{") != 1 || !res.isOne() {
			continue
		}
		if of := res.operation(http.MethodGet).answerType(); of != "" && of == listed.name {
			op.rows = res.path
			return
		}
		if len(res.steps) == len(op.resource.steps)+1 && slices.Equal(res.steps[:len(op.resource.steps)], op.resource.steps) {
			op.rows = res.path
		}
	}
}

// listed is what a list has in its results; nil when it is none.
func (op *operation) listed() *schema {
	if op.Method != http.MethodGet {
		return nil
	}
	for _, t := range op.successes() {
		for _, p := range t.properties {
			if p.name == "results" && p.items != nil {
				return p.items
			}
		}
	}
	return nil
}

// successes are the bodies that answer when all has gone well.
func (op *operation) successes() []body {
	var all []body
	for _, a := range op.answers {
		if strings.HasPrefix(a.status, "2") {
			all = append(all, a.types...)
		}
	}
	return all
}

// group puts an operation under its first tag.
func (d *document) group(op *operation) {
	name := "operations"
	if len(op.tags) > 0 {
		name = op.tags[0]
	}
	at := slices.IndexFunc(d.tags, func(t tag) bool { return t.Name == name })
	if at < 0 {
		d.tags = append(d.tags, tag{Name: name})
		at = len(d.tags) - 1
	}
	d.tags[at].Operations = append(d.tags[at].Operations, op)
}

// find returns the operation of that id.
func (d *document) find(id string) *operation {
	for _, res := range d.resources {
		for _, op := range res.operations {
			if op.ID == id {
				return op
			}
		}
	}
	return nil
}

func isVariable(step string) bool { return strings.HasPrefix(step, "{") }

func (res *resource) operation(method string) *operation {
	if res == nil {
		return nil
	}
	for _, op := range res.operations {
		if op.Method == method {
			return op
		}
	}
	return nil
}

// isFixed reports whether the path has no parameters, so that it is an address.
func (res *resource) isFixed() bool { return !slices.ContainsFunc(res.steps, isVariable) }

// isOne reports whether the address is that of one of several, as /items/{id} is.
func (res *resource) isOne() bool {
	return len(res.steps) > 0 && isVariable(res.steps[len(res.steps)-1])
}

// May reports whether a user may ask for it, as far as the document says.
func (op *operation) May(has account.Permissions) bool {
	if !has.Has(account.APIAccess) { // without it none counts
		return false
	}
	for _, permission := range op.Permissions {
		if !has.Has(permission) {
			return false
		}
	}
	return true
}

// parameterNamed finds a parameter by its place and name.
func (op *operation) parameterNamed(in, name string) *parameter {
	for i := range op.parameters {
		if p := &op.parameters[i]; p.in == in && strings.EqualFold(p.name, name) {
			return p
		}
	}
	return nil
}

// answerType is the component that a success answers with, "" when it has none.
func (op *operation) answerType() string {
	if op == nil {
		return ""
	}
	for _, t := range op.successes() {
		if isJSON(t.mediaType) {
			return t.name
		}
	}
	return ""
}

// answersOnlyStreams reports whether a success has no end: nothing for a page to show.
func (op *operation) answersOnlyStreams() bool {
	all := op.successes()
	return len(all) > 0 && !slices.ContainsFunc(all, func(t body) bool { return t.mediaType != eventStream })
}

// streamsChangesOf reports whether an EventSource can follow one thing by it.
func (op *operation) streamsChangesOf() bool {
	if op.Method != http.MethodGet || !op.resource.isFixed() || op.parameterNamed("query", "id") == nil {
		return false
	}
	return slices.ContainsFunc(op.answers, func(a answer) bool {
		return slices.ContainsFunc(a.types, func(t body) bool { return t.mediaType == eventStream })
	})
}

const eventStream = "text/event-stream"

func isJSON(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// rowsAt is nil-safe.
func (op *operation) rowsAt() string {
	if op == nil {
		return ""
	}
	return op.rows
}
