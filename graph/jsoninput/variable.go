package jsoninput

import (
	"context"
	"encoding/json"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

type requestKey struct{}

// WithRequest returns a context with an operation's request, from which Variables reads.
func WithRequest(ctx context.Context, request []byte) context.Context {
	return context.WithValue(ctx, requestKey{}, request)
}

// Variables is an extension of gqlgen's handler. It replaces the JSON values in an operation's variables by the bytes
// of the request.
type Variables struct {
	types map[string]*ast.Definition
	holds map[string]bool // whether a type is JSON, or an input object with JSON in it
}

var _ interface {
	graphql.OperationContextMutator
	graphql.HandlerExtension
} = &Variables{}

// ExtensionName is called by gqlgen.
func (*Variables) ExtensionName() string { return "JSONVariables" }

// Validate is called by gqlgen when the handler is made.
func (v *Variables) Validate(schema graphql.ExecutableSchema) error {
	v.types, v.holds = schema.Schema().Types, map[string]bool{scalar: true}
	for found := true; found; { // until all types that hold the types found so far are found
		found = false
		for name, definition := range v.types {
			if definition.Kind == ast.InputObject && !v.holds[name] && v.holdsField(definition) {
				v.holds[name], found = true, true
			}
		}
	}
	return nil
}

func (v *Variables) holdsField(definition *ast.Definition) bool {
	for _, field := range definition.Fields {
		if v.holds[field.Type.Name()] {
			return true
		}
	}
	return false
}

// MutateOperationContext is called by gqlgen when it has checked the variables.
func (v *Variables) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	var request struct{ Variables map[string]json.RawMessage }
	for _, d := range op.Operation.VariableDefinitions {
		value := op.Variables[d.Variable]
		if value == nil || !v.holds[d.Type.Name()] && d.Type.NamedType != float {
			continue
		}
		if request.Variables == nil {
			raw, _ := ctx.Value(requestKey{}).([]byte)
			_ = json.Unmarshal(raw, &request) // the transport has decoded it before
		}
		op.Variables[d.Variable] = v.replace(d.Type, value, request.Variables[d.Variable])
	}
	return nil
}

// replace returns a value with its JSON as json.RawMessage. raw is the value in the request; it is nil in the default
// of a variable, whose JSON Rule has rewritten.
func (v *Variables) replace(t *ast.Type, value any, raw json.RawMessage) any {
	switch {
	case value == nil:
		return nil
	case t.Elem != nil:
		return v.replaceElements(t.Elem, value, raw)
	case t.NamedType == float:
		return replaceFloat(value, raw)
	case t.NamedType != scalar:
		return v.replaceFields(v.types[t.NamedType], value, raw)
	case raw != nil:
		return raw
	}
	text, err := Decode(value)
	if err != nil {
		return value // refused when it is used
	}
	return text
}

// replaceFloat returns a number with the digits of the request, for a JSON literal that has the variable in it. gqlgen
// has left the numbers in lists and inputs as json.Number.
func replaceFloat(value any, raw json.RawMessage) any {
	if number := json.Number(raw); raw != nil && raw[0] != '"' {
		return number
	}
	return value
}

// replaceElements replaces the elements of a list. A client may send one element without the list around it.
func (v *Variables) replaceElements(of *ast.Type, value any, raw json.RawMessage) any {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		elements = []json.RawMessage{raw}
	}
	list := reflect.ValueOf(value)
	replaced := make([]any, list.Len())
	for n := range replaced {
		var element json.RawMessage
		if n < len(elements) {
			element = elements[n]
		}
		replaced[n] = v.replace(of, list.Index(n).Interface(), element)
	}
	return replaced
}

func (v *Variables) replaceFields(definition *ast.Definition, value any, raw json.RawMessage) any {
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(raw, &members)
	for _, field := range definition.Fields {
		if member, given := object[field.Name]; given && v.holds[field.Type.Name()] {
			object[field.Name] = v.replace(field.Type, member, members[field.Name])
		}
	}
	return object
}
