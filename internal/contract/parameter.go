package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
	"itemcast/internal/validate"
)

// parameter checks one parameter in a path, query or header.
type parameter struct {
	name      string
	canonical string // the key in http.Header
	prefix    string // x-prefix: matches every name that begins with it
	required  bool
	array     bool
	scalar    string // the type of the value, or of the values in the array
	uuid      bool   // checked without the schema, because it is frequent
	schema    *Schema
}

func newParameter(spec *openapi3.Parameter, schema *Schema) (parameter, error) {
	p := parameter{name: spec.Name, canonical: canonical(spec.Name), required: spec.Required, schema: schema}
	p.prefix, _ = spec.Extensions["x-prefix"].(string)
	value := spec.Schema.Value
	if p.array = value.Type.Is(openapi3.TypeArray); p.array {
		form := (spec.Style == "" || spec.Style == openapi3.SerializationForm) && (spec.Explode == nil || *spec.Explode)
		if spec.In != openapi3.ParameterInQuery || !form || value.Items == nil {
			return p, fmt.Errorf("parameter %s: an array must be in the query, in the style form, exploded", spec.Name)
		}
		value = value.Items.Value
	}
	for _, scalar := range []string{
		openapi3.TypeInteger, openapi3.TypeNumber, openapi3.TypeBoolean, openapi3.TypeString,
	} {
		if value.Type.Is(scalar) {
			p.scalar = scalar
		}
	}
	if p.scalar == "" {
		return p, fmt.Errorf("parameter %s: must be a string, a number, a boolean, or an array of these", spec.Name)
	}
	p.uuid = !p.array && value.Format == "uuid"
	return p, nil
}

// fits reports whether a value is valid.
func (p *parameter) fits(value string) bool {
	if p.uuid {
		return isUUID(value)
	}
	return len(p.faults(p.name, []string{value})) == 0
}

// faults checks a parameter's values: one, or any number for an array. Faults have the name that the client wrote.
func (p *parameter) faults(name string, values []string) problem.Faults {
	var faults problem.Faults
	all := make([]any, len(values))
	for i, value := range values {
		if detail := validate.Storable(value); detail != "" {
			return problem.Faults{{Parameter: name, Detail: detail}}
		}
		all[i] = p.convert(value)
	}
	var converted any = all
	if !p.array {
		converted = all[0]
	}
	reported := map[string]bool{}
	for _, v := range p.schema.violations(converted) {
		detail := v.detail
		if len(v.at) > 0 {
			detail = "each value " + detail + p.separatorHint(values)
		}
		if !reported[detail] {
			reported[detail] = true
			faults.Of(name, detail)
		}
	}
	return faults
}

// separatorHint explains commas to a client that has escaped those between the values of an array.
func (p *parameter) separatorHint(values []string) string {
	if !slices.ContainsFunc(values, func(value string) bool { return strings.Contains(value, ",") }) {
		return ""
	}
	return "; separate values with a bare comma, not with %2C"
}

// convert converts a value to the schema's type. If it cannot, it returns the string, which the schema then rejects.
func (p *parameter) convert(value string) any {
	switch p.scalar {
	case openapi3.TypeInteger, openapi3.TypeNumber:
		parsed, err := strictjson.Parse([]byte(value), strictjson.Limits{})
		if number, ok := parsed.(json.Number); ok && err == nil && string(number) == value { // no white space around it
			return number
		}
	case openapi3.TypeBoolean:
		switch value {
		case "true":
			return true
		case "false":
			return false
		}
	}
	return value
}
