package contract

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Permission returns the permission (x-permission) of the operation with a pattern of the mux; "" if it has none.
func (d *Document) Permission(pattern string) string {
	item, method, _ := d.find(pattern)
	if item == nil {
		return ""
	}
	permission, _ := item.GetOperation(method).Extensions["x-permission"].(string)
	return permission
}

// find returns the document's path item for a pattern of the mux; nil if the document has no such operation.
func (d *Document) find(pattern string) (item *openapi3.PathItem, method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	// The mux writes "/{$}" for exactly "/".
	path, below := strings.CutPrefix(strings.TrimSuffix(path, "{$}"), d.Base())
	item = d.spec.Paths.Value(path)
	if !below || item == nil || item.GetOperation(method) == nil {
		return nil, method, path
	}
	return item, method, path
}

// operation compiles the checks of the operation with a pattern of the mux.
func (d *Document) operation(pattern string, options Options) (*operation, error) {
	item, method, path := d.find(pattern)
	if item == nil {
		return nil, fmt.Errorf("%s has no such operation", d.name)
	}
	spec := item.GetOperation(method)
	at := "/paths/" + escape(path)
	op := &operation{answers: answers(spec), query: query{byName: map[string]*parameter{}}}
	// An operation's own parameters come last, because they override those of the path.
	if err := d.parameters(op, item.Parameters, at+"/parameters/"); err != nil {
		return nil, err
	}
	at += "/" + strings.ToLower(method)
	if err := d.parameters(op, spec.Parameters, at+"/parameters/"); err != nil {
		return nil, err
	}
	var err error
	streams, _ := spec.Extensions["x-streams"].(bool)
	op.body, err = d.body(spec.RequestBody, d.compiler.follow(at+"/requestBody"), options.BodyLimit, streams)
	if op.body != nil {
		op.body.serverSet = serverSetOf(method, spec)
	}
	return op, err
}

func (d *Document) parameters(op *operation, specs openapi3.Parameters, at string) error {
	for i, ref := range specs {
		if prefix, _ := ref.Value.Extensions["x-same-as"].(string); prefix != "" {
			op.query.objects = append(op.query.objects, object{ref.Value.Name + "[", prefix})
			continue
		}
		schema, err := d.compiler.compile(d.compiler.follow(fmt.Sprintf("%s%d", at, i)) + "/schema")
		if err != nil {
			return err
		}
		p, err := newParameter(ref.Value, schema)
		if err != nil {
			return err
		}
		switch ref.Value.In {
		case openapi3.ParameterInPath:
			op.path = replace(op.path, p)
		case openapi3.ParameterInHeader:
			op.headers = replace(op.headers, p)
		case openapi3.ParameterInQuery:
			op.query.add(&p)
		default:
			return fmt.Errorf("parameter %s: cannot be checked in %s", p.name, ref.Value.In)
		}
	}
	return nil
}

func replace(parameters []parameter, p parameter) []parameter {
	same := func(other parameter) bool { return other.name == p.name }
	return append(slices.DeleteFunc(parameters, same), p)
}

func (d *Document) body(ref *openapi3.RequestBodyRef, at string, limit int64, streams bool) (*body, error) {
	if ref == nil {
		return nil, nil
	}
	b := &body{required: ref.Value.Required, limit: limit, schemas: map[string]*Schema{}}
	b.withRules, _ = ref.Value.Extensions["x-checked-with-rules"].(bool)
	for mediaType := range ref.Value.Content {
		b.types = append(b.types, mediaType)
		b.schemas[mediaType] = nil
		if streams || !isJSON(mediaType) {
			continue
		}
		schema, err := d.compiler.compile(at + "/content/" + escape(mediaType) + "/schema")
		if err != nil {
			return nil, err
		}
		b.schemas[mediaType] = schema
	}
	slices.Sort(b.types)
	if at := slices.Index(b.types, mergePatch); at > 0 { // the type that says what is meant comes first
		b.types = slices.Insert(slices.Delete(b.types, at, at+1), 0, mergePatch)
	}
	return b, nil
}

// mergePatch is the media type of RFC 7396.
const mergePatch = "application/merge-patch+json"

// answers returns the media types of an operation's successful answers.
func answers(spec *openapi3.Operation) []string {
	var types []string
	for status, ref := range spec.Responses.Map() {
		if !strings.HasPrefix(status, "2") || ref.Value == nil {
			continue
		}
		for mediaType := range ref.Value.Content {
			types = append(types, mediaType)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// escape makes a token of a JSON Pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// canonical returns the key of a header in http.Header.
func canonical(name string) string { return http.CanonicalHeaderKey(name) }
