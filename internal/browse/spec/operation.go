package spec

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"itemcast/internal/account"
)

// Operation is a method at a path.
type Operation struct {
	Method, ID, Path, Summary string
	Description               template.HTML
	Permissions               []account.Permission // all are needed, with api.access
	Deprecated                bool
	Resource                  *Resource
	Parameters                []Parameter
	Bodies                    []Body // one for each media type
	BodyRequired              bool
	Responses                 []Response
	Rows                      string            // of a list: the path that reads an element, "/users/{id}"; else ""
	Cells                     map[string]string // paths that read what members of its answer identify; see Document.Links
	Follows                   []Follow          // what its answer leads to

	unless   map[string][]any
	tags     []string
	searched string // the text that a search examines, in lower case
}

// Parameter of an operation.
type Parameter struct {
	Name, In    string
	Description template.HTML
	Required    bool
	Deprecated  bool
	Prefix      string // x-prefix: the parameter stands for every name that begins with this
	SameAs      string // x-same-as: the prefix of the parameters that it is another form of
	Example     any
	Schema      *Schema
}

// replaces reports whether another parameter has the same name and place. A parameter of an operation replaces that of
// its path.
func (p Parameter) replaces(other Parameter) bool { return other.In == p.In && other.Name == p.Name }

// Body is one media type of a request or a response.
type Body struct {
	MediaType string
	Schema    *Schema
}

// Response is an answer that the document declares.
type Response struct {
	Status      string // "200", or "default"
	Description template.HTML
	Headers     []Header
	Bodies      []Body
}

// Header of a response.
type Header struct {
	Name        string
	Description template.HTML
	Schema      *Schema
}

// May reports whether a user may call the operation, as far as the document states it. The API decides.
func (op *Operation) May(has account.Permissions) bool {
	return has.Has(account.APIAccess) &&
		!slices.ContainsFunc(op.Permissions, func(needed account.Permission) bool { return !has.Has(needed) })
}

// Matches reports whether the operation mentions every word; words are in lower case.
func (op *Operation) Matches(words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(op.searched, word) })
}

// HasParameter reports whether the operation has a parameter; in is "path", "query" or "header".
func (op *Operation) HasParameter(in, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p Parameter) bool {
		return p.In == in && strings.EqualFold(p.Name, name)
	})
}

// NeedsFile reports whether the operation needs a body that cannot be typed, such as a picture.
func (op *Operation) NeedsFile() bool {
	return op.BodyRequired && !slices.ContainsFunc(op.Bodies, func(b Body) bool { return isText(b.MediaType) })
}

// Updates reports whether the operation changes what its address already holds.
func (op *Operation) Updates() bool {
	return op.Method == http.MethodPut || op.Method == http.MethodPatch
}

// Creates reports whether the operation may be of use at an address that holds nothing.
func (op *Operation) Creates() bool { return op.Method == http.MethodPost && !op.Resource.IsOne() }

// Successes returns the bodies of all 2xx responses.
func (op *Operation) Successes() []Body {
	var all []Body
	for _, response := range op.Responses {
		if strings.HasPrefix(response.Status, "2") {
			all = append(all, response.Bodies...)
		}
	}
	return all
}

// BodyTypes returns the media types of the request's body, separated by commas.
func (op *Operation) BodyTypes() string {
	var types []string
	for _, body := range op.Bodies {
		types = append(types, body.MediaType)
	}
	return strings.Join(types, ", ")
}

// AnswerType returns the name of the component with which a success answers in JSON; "" for none. op may be nil.
func (op *Operation) AnswerType() string {
	if op == nil {
		return ""
	}
	for _, body := range op.Successes() {
		if IsJSON(body.MediaType) {
			return body.Schema.Name
		}
	}
	return ""
}

// Means returns the description of a response with a status; "" for none.
func (op *Operation) Means(status int) template.HTML {
	for _, response := range op.Responses {
		if response.Status == strconv.Itoa(status) {
			return response.Description
		}
	}
	return ""
}

// ShowsSecret reports whether a success has a secret among these members.
func (op *Operation) ShowsSecret(has func(member string) bool) bool {
	return slices.ContainsFunc(op.Successes(), func(b Body) bool {
		return slices.ContainsFunc(b.Schema.Properties, func(p Property) bool {
			return p.Schema.IsSecret() && has(p.Name)
		})
	})
}

// OnlyStreams reports whether every success is an event stream, which has no end that a page could wait for.
func (op *Operation) OnlyStreams() bool {
	all := op.Successes()
	return len(all) > 0 && !slices.ContainsFunc(all, func(b Body) bool { return !b.isEventStream() })
}

// followsOne reports whether an EventSource can follow the changes of one resource by the operation.
func (op *Operation) followsOne() bool {
	if op.Method != http.MethodGet || !op.Resource.IsFixed() || !op.HasParameter("query", "id") {
		return false
	}
	return slices.ContainsFunc(op.Responses, func(r Response) bool {
		return slices.ContainsFunc(r.Bodies, Body.isEventStream)
	})
}

// element returns the schema of the results of a list; nil for any other operation.
func (op *Operation) element() *Schema {
	if op.Method != http.MethodGet {
		return nil
	}
	for _, body := range op.Successes() {
		for _, p := range body.Schema.Properties {
			if p.Name == "results" && p.Schema.Items != nil {
				return p.Schema.Items
			}
		}
	}
	return nil
}

func (b Body) isEventStream() bool { return b.MediaType == "text/event-stream" }

// IsJSON reports whether a media type is JSON, or a format that is.
func IsJSON(mediaType string) bool {
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

// isText reports whether a person can type a media type.
func isText(mediaType string) bool {
	return IsJSON(mediaType) || strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "ndjson") ||
		strings.HasSuffix(mediaType, "jsonl") || strings.HasSuffix(mediaType, "yaml")
}
