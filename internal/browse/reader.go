package browse

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// reader reads the operations of a document.
type reader struct{ schemas }

func (r *reader) resource(path string, item *object) *resource {
	res := &resource{path: path, steps: steps(path)}
	for _, method := range item.keys() {
		spec := item.object(method)
		method = strings.ToUpper(method)
		if slices.Contains(methodOrder, method) {
			op := r.operation(method, path, item.list("parameters"), spec)
			op.resource = res
			res.operations = append(res.operations, op)
		}
	}
	slices.SortStableFunc(res.operations, func(a, b *operation) int {
		return cmp.Compare(slices.Index(methodOrder, a.Method), slices.Index(methodOrder, b.Method))
	})
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if res.operation(method) != nil {
			allowed = append(allowed, method)
		}
		if method == http.MethodGet && len(allowed) > 0 {
			allowed = append(allowed, http.MethodHead)
		}
	}
	res.allow = strings.Join(append(allowed, http.MethodOptions), ", ")
	return res
}

func (r *reader) operation(method, path string, shared []any, spec *object) *operation {
	op := &operation{Method: method, Path: path, ID: spec.text("operationId"), Summary: spec.text("summary"),
		Description: markdown(spec.text("description")), Deprecated: spec.isTrue("deprecated")}
	if op.Summary == "" {
		op.Summary = cmp.Or(op.ID, method+" "+path)
	}
	op.ID = cmp.Or(op.ID, strings.ToLower(method)+path)
	for _, one := range spec.list("tags") {
		if name, ok := one.(string); ok {
			op.tags = append(op.tags, name)
		}
	}
	switch permission := spec.get("x-permission").(type) {
	case string:
		op.Permissions = account.Permissions{account.Permission(permission)}
	case []any:
		for _, one := range permission {
			if name, ok := one.(string); ok {
				op.Permissions = append(op.Permissions, account.Permission(name))
			}
		}
	}
	for _, node := range slices.Concat(shared, spec.list("parameters")) {
		p := r.parameter(node)
		op.parameters = append(slices.DeleteFunc(op.parameters, func(other parameter) bool { return other.in == p.in && other.name == p.name }), p)
	}
	if requestBody, _ := r.follow(spec.get("requestBody")); requestBody != nil {
		op.bodyNeeded = requestBody.isTrue("required")
		op.bodies = r.bodies(requestBody.object("content"))
		op.forClients = op.bodyNeeded && !slices.ContainsFunc(op.bodies, func(b body) bool { return isText(b.mediaType) })
	}
	responses := spec.object("responses")
	for _, status := range responses.keys() {
		op.answers = append(op.answers, r.answer(status, responses.get(status)))
	}
	for i := range op.parameters {
		switch p := &op.parameters[i]; {
		case p.in == "path", p.comesByItself(), p.in == "header" && method == http.MethodGet:
		case method == http.MethodGet:
			op.filter = append(op.filter, parameterField(p))
		default:
			op.asides = append(op.asides, parameterField(p))
		}
	}
	for i := range op.bodies {
		op.bodies[i].fields = bodyFields(op.bodies[i].schema)
	}
	op.searched = strings.ToLower(strings.Join(append([]string{method, path, op.ID, op.Summary, spec.text("description")}, op.tags...), " "))
	return op
}

func (r *reader) parameter(node any) parameter {
	o, _ := r.follow(node)
	p := parameter{name: o.text("name"), in: o.text("in"), description: o.text("description"), required: o.isTrue("required"),
		prefix: o.text("x-prefix"), example: o.get("example"), schema: r.read(o.get("schema"))}
	explode, given := o.get("explode").(bool)
	p.explode = explode || !given && p.in == "query"
	return p
}

// isText reports whether a person can type it.
func isText(mediaType string) bool {
	return isJSON(mediaType) || strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "ndjson") || strings.HasSuffix(mediaType, "yaml")
}

// comesByItself reports whether a form sends it without being told.
func (p *parameter) comesByItself() bool {
	return p.in == "header" && (strings.EqualFold(p.name, "If-Match") || strings.EqualFold(p.name, "Idempotency-Key"))
}

func (r *reader) bodies(content *object) []body {
	var bodies []body
	for _, mediaType := range content.keys() {
		bodies = append(bodies, body{mediaType: mediaType, schema: r.read(content.object(mediaType).get("schema"))})
	}
	return bodies
}

func (r *reader) answer(status string, node any) answer {
	o, _ := r.follow(node)
	a := answer{status: status, description: o.text("description"), types: r.bodies(o.object("content"))}
	headers := o.object("headers")
	for _, name := range headers.keys() {
		h, _ := r.follow(headers.get(name))
		a.headers = append(a.headers, header{name: name, description: h.text("description"), schema: r.read(h.get("schema"))})
	}
	return a
}

// steps are the segments of a path.
func steps(path string) []string {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}
