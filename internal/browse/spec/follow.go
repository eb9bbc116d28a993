package spec

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"itemcast/internal/browse/jsontree"
)

// Follow is an OpenAPI link: an operation that can be called with values of an answer. In its pointers a step "*"
// stands for each element of an array; it is the same element in all of them.
type Follow struct {
	Summary string     // what the link does, in words
	Target  *Operation // another operation of the document

	operation  string            // its id
	parameters map[string]string // pointers into the answer, by the names of variables of the path
	when       map[string]string // x-when: the link is there if the values at these pointers are these texts
}

const bodyPointer = "$response.body#"

func readFollows(responses *jsontree.Object) []Follow {
	var all []Follow
	for _, status := range responses.Names() {
		links := responses.Object(status).Object("links")
		for _, name := range links.Names() {
			node := links.Object(name)
			f := Follow{Summary: node.Text("description"), operation: node.Text("operationId"),
				parameters: map[string]string{}, when: map[string]string{}}
			parameters := node.Object("parameters")
			for _, variable := range parameters.Names() {
				pointer, inBody := strings.CutPrefix(parameters.Text(variable), bodyPointer)
				if inBody {
					f.parameters[variable] = pointer
				}
			}
			conditions := node.Object("x-when")
			for _, pointer := range conditions.Names() {
				f.when[pointer] = conditions.Text(pointer)
			}
			all = append(all, f)
		}
	}
	return all
}

// cells returns the links that a value of an answer is by itself: the paths that read what it identifies, by the name
// of its member.
func (op *Operation) cells() map[string]string {
	var cells map[string]string
	for _, f := range op.Follows {
		if f.Target.Method != http.MethodGet || len(f.parameters) != 1 || strings.Count(f.Target.Path, "{") != 1 {
			continue
		}
		for _, pointer := range f.parameters {
			if cells == nil {
				cells = map[string]string{}
			}
			cells[pointer[strings.LastIndexByte(pointer, '/')+1:]] = f.Target.Path
		}
	}
	return cells
}

// Addresses returns the paths of the target for an answer, without the document's base: one for each element if the
// pointers have a "*". A path is missing if a value that it needs is missing or is no text.
func (f *Follow) Addresses(answer any) []string {
	if !slices.ContainsFunc(f.pointers(), func(pointer string) bool { return strings.Contains(pointer, "/*") }) {
		if path, ok := f.address(answer, 0); ok {
			return []string{path}
		}
		return nil
	}
	var all []string
	for index := range f.elements(answer) {
		if path, ok := f.address(answer, index); ok {
			all = append(all, path)
		}
	}
	return all
}

func (f *Follow) pointers() []string {
	var all []string
	for _, pointer := range f.parameters {
		all = append(all, pointer)
	}
	for pointer := range f.when {
		all = append(all, pointer)
	}
	return all
}

// elements returns the length of the array for whose elements "*" stands.
func (f *Follow) elements(answer any) int {
	for _, pointer := range f.pointers() {
		if above, _, found := strings.Cut(pointer, "/*"); found {
			list, _ := at(answer, above, 0).([]any)
			return len(list)
		}
	}
	return 0
}

func (f *Follow) address(answer any, index int) (path string, ok bool) {
	for pointer, want := range f.when {
		if got, _ := at(answer, pointer, index).(string); got != want {
			return "", false
		}
	}
	steps := slices.Clone(f.Target.Resource.Steps)
	for i, step := range steps {
		if !isVariable(step) {
			continue
		}
		value, _ := at(answer, f.parameters[strings.Trim(step, "{}")], index).(string)
		if value == "" {
			return "", false
		}
		steps[i] = url.PathEscape(value)
	}
	return "/" + strings.Join(steps, "/"), true
}

// at returns the value at a pointer (RFC 6901); "*" is the element at index. It returns nil if there is none.
func at(value any, pointer string, index int) any {
	if pointer == "" {
		return value
	}
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch of := value.(type) {
		case *jsontree.Object:
			value = of.Get(unescapeStep.Replace(step))
		case []any:
			if step != "*" || index >= len(of) {
				return nil
			}
			value = of[index]
		default:
			return nil
		}
	}
	return value
}
