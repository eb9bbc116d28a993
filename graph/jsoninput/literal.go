package jsoninput

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// Rule is a validation rule that rewrites JSON literals for Decode. It must be a rule: ValuesOfCorrectType, which
// checks the surrounding input object later in the same walk, refuses numbers beyond int64. For the same reason it
// reads a large integer as a Float where a Float is expected.
//
// Rules run in the order of their names: this one after UniqueInputFieldNames, which refuses duplicate members, and
// before ValuesOfCorrectType.
var Rule = core.Rule{Name: "ValueLiterals", RuleFunc: func(observers *core.Events, addError core.AddErrFunc) {
	l := literals{addError: addError, rewritten: map[*ast.Value]bool{}, variables: map[*ast.Value]bool{}}
	observers.OnValue(l.visit)
}}

// literals is the state of one validation. A fragment is walked once for each operation that spreads it.
type literals struct {
	addError  core.AddErrFunc
	rewritten map[*ast.Value]bool
	variables map[*ast.Value]bool // inside of JSON literals
}

// visit is called for each value of a document, and for the parts of a value before the whole.
func (l *literals) visit(_ *core.Walker, v *ast.Value) {
	if l.variables[v] {
		l.checkVariable(v)
	}
	switch {
	case v.Definition == nil || v.ExpectedType == nil || l.rewritten[v]:
	case v.Kind == ast.IntValue && v.Definition.Name == float:
		v.Kind = ast.FloatValue
	case v.Definition.Name != scalar || v.Kind == ast.Variable || v.Kind == ast.NullValue:
	case v.Kind == ast.ListValue && v.ExpectedType.Elem != nil: // a list of JSON values
	default:
		l.rewrite(v)
		l.rewritten[v] = true
	}
}

// rewrite replaces a literal by its JSON text or, if variables are in it, by a list of parts, which Decode joins. A
// part is a text, a list of parts, or the object {value: $variable}; the object is empty if the variable is not given.
func (l *literals) rewrite(v *ast.Value) {
	if text, constant := appendText(nil, v); constant {
		*v = ast.Value{Kind: ast.StringValue, Raw: string(text), Position: v.Position}
		return
	}
	switch v.Kind {
	case ast.Variable:
		variable := *v
		l.variables[&variable] = true
		l.checkVariable(&variable)
		v.Kind, v.Children = ast.ObjectValue, ast.ChildValueList{{Name: "value", Value: &variable, Position: v.Position}}
	case ast.ListValue:
		parts := ast.ChildValueList{textPart("[", v)}
		for _, child := range v.Children {
			l.rewrite(child.Value)
			parts = append(parts, child)
		}
		v.Children = parts
	case ast.ObjectValue:
		parts := ast.ChildValueList{textPart("{", v)}
		for _, child := range v.Children {
			l.rewrite(child.Value)
			parts = append(parts, textPart(string(quote(nil, child.Name)), child.Value), &ast.ChildValue{Value: child.Value})
		}
		v.Kind, v.Children = ast.ListValue, parts
	}
}

func textPart(text string, at *ast.Value) *ast.ChildValue {
	return &ast.ChildValue{Value: &ast.Value{Kind: ast.StringValue, Raw: text, Position: at.Position}}
}

// checkVariable refuses a variable of an input type: its members have no order any more.
func (l *literals) checkVariable(v *ast.Value) {
	if d := v.VariableDefinition; d != nil && d.Definition != nil && d.Definition.Kind == ast.InputObject {
		l.addError(core.Message(`Variable "$%s" of type "%s" cannot be used in a JSON value. Declare it as JSON.`,
			v.Raw, d.Type.String()), core.At(v.Position))
	}
}

// appendText appends the JSON text of a literal; constant is false if it has variables.
func appendText(to []byte, v *ast.Value) (text []byte, constant bool) {
	switch v.Kind {
	case ast.Variable:
		return to, false
	case ast.StringValue, ast.BlockValue, ast.EnumValue:
		return quote(to, v.Raw), true
	case ast.ListValue, ast.ObjectValue:
		brackets := "[]"
		if v.Kind == ast.ObjectValue {
			brackets = "{}"
		}
		to = append(to, brackets[0])
		for n, child := range v.Children {
			if n > 0 {
				to = append(to, ',')
			}
			if v.Kind == ast.ObjectValue {
				to = append(quote(to, child.Name), ':')
			}
			if to, constant = appendText(to, child.Value); !constant {
				return to, false
			}
		}
		return append(to, brackets[1]), true
	default: // numbers, true, false and null are written as in JSON
		return append(to, v.Raw...), true
	}
}

// quote appends a string of a document, which is valid UTF-8.
func quote(to []byte, text string) []byte {
	quoted, _ := jsontext.AppendQuote(to, text)
	return slices.Clip(quoted)
}
