package contract

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// violation is a rule of a schema that a value breaks.
type violation struct {
	at      []string // the names and indices that lead to the value
	detail  string
	pattern string // the regular expression that a string does not match; x-pattern-detail explains it
	isType  bool   // the value has the wrong type

	object    string // the location of the schema of the object that lacks a member, or has an unknown one
	isUnknown bool
}

// compare orders violations by place, with entries of arrays by number.
func (v violation) compare(other violation) int {
	return slices.CompareFunc(v.at, other.at, func(a, b string) int {
		i, errA := strconv.Atoi(a)
		j, errB := strconv.Atoi(b)
		if errA == nil && errB == nil {
			return cmp.Compare(i, j)
		}
		return cmp.Compare(a, b)
	})
}

func violationsOf(e *jsonschema.ValidationError) []violation {
	below := func(name string) []string { return append(slices.Clone(e.InstanceLocation), name) }
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return each(k.Missing, func(name string) violation {
			return violation{at: below(name), detail: "is required", object: e.SchemaURL}
		})
	case *kind.AdditionalProperties:
		return each(k.Properties, func(name string) violation {
			return violation{at: below(name), detail: "unknown field", object: e.SchemaURL, isUnknown: true}
		})
	case *kind.UniqueItems:
		first, second := min(k.Duplicates[0], k.Duplicates[1]), max(k.Duplicates[0], k.Duplicates[1])
		return []violation{{at: below(strconv.Itoa(second)), detail: fmt.Sprintf("must differ from entry %d", first)}}
	case *kind.PropertyNames:
		return []violation{{at: below(k.Property), detail: "has an invalid name"}}
	case *kind.AnyOf, *kind.OneOf:
		return bestBranch(e)
	case *kind.Pattern:
		return []violation{{at: e.InstanceLocation, pattern: k.Want}}
	case *kind.Type:
		return []violation{{at: e.InstanceLocation, detail: "must be " + types(k.Want), isType: true}}
	}
	if len(e.Causes) > 0 {
		var violations []violation
		for _, cause := range e.Causes {
			violations = append(violations, violationsOf(cause)...)
		}
		return violations
	}
	return []violation{{at: e.InstanceLocation, detail: detail(e.ErrorKind)}}
}

// bestBranch returns the violations of the one alternative whose type fits.
func bestBranch(e *jsonschema.ValidationError) []violation {
	var fitting [][]violation
	var wanted []string
	for _, cause := range e.Causes {
		violations := violationsOf(cause)
		if len(violations) == 1 && violations[0].isType && len(violations[0].at) == len(e.InstanceLocation) {
			wanted = append(wanted, strings.TrimPrefix(violations[0].detail, "must be "))
			continue
		}
		fitting = append(fitting, violations)
	}
	switch {
	case len(fitting) == 1:
		return fitting[0]
	case len(fitting) == 0 && len(wanted) > 0:
		return []violation{{at: e.InstanceLocation, detail: "must be " + strings.Join(wanted, " or "), isType: true}}
	}
	return []violation{{at: e.InstanceLocation, detail: "must have one of the allowed forms"}}
}

func detail(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Enum:
		values := slices.DeleteFunc(slices.Clone(k.Want), func(v any) bool { return v == nil })
		if len(values) < len(k.Want) {
			return "must be null, or one of " + list(values)
		}
		return "must be one of " + list(k.Want)
	case *kind.Const:
		return "must be " + list([]any{k.Want})
	case *kind.MinLength:
		if k.Want == 1 {
			return "must not be empty"
		}
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return "must have at most " + count(k.Want, "character", "characters")
	case *kind.MinItems:
		return "must have at least " + count(k.Want, "entry", "entries")
	case *kind.MaxItems:
		return "must have at most " + count(k.Want, "entry", "entries")
	case *kind.MinProperties:
		return "must have at least " + count(k.Want, "field", "fields")
	case *kind.MaxProperties:
		return "must have at most " + count(k.Want, "field", "fields")
	case *kind.Minimum:
		return "must be at least " + number(k.Want)
	case *kind.Maximum:
		return "must be at most " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be more than " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + number(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want)
	case *kind.Format:
		return formatDetail(k)
	case *kind.FalseSchema:
		return "is not allowed"
	}
	return "does not fit the schema"
}

func formatDetail(k *kind.Format) string {
	switch k.Want {
	case "uuid":
		return "must be a UUID"
	case "date-time":
		return "must be a date and time such as 2026-01-31T12:00:00Z"
	case "date":
		return "must be a date such as 2026-01-31"
	case "uri":
		return "must be an absolute URL, in which a space is %20 and % is %25"
	case "int32", "int64":
		if errors.Is(k.Err, strconv.ErrRange) {
			return "must fit into " + strings.TrimPrefix(k.Want, "int") + " bits"
		}
		return "must be a whole number, in digits only"
	}
	return "must have the format " + k.Want
}

var typeNames = map[string]string{
	"string": "a string", "number": "a number", "integer": "a whole number", "boolean": "true or false",
	"array": "an array", "object": "an object", "null": "null",
}

func types(names []string) string {
	order := []string{"string", "integer", "number", "boolean", "array", "object", "null"}
	names = slices.SortedFunc(slices.Values(names), func(a, b string) int {
		return slices.Index(order, a) - slices.Index(order, b)
	})
	return strings.Join(each(names, func(name string) string { return typeNames[name] }), " or ")
}

func list(values []any) string {
	return strings.Join(each(values, func(value any) string {
		if value == nil {
			return "null"
		}
		return fmt.Sprint(value)
	}), ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func each[A, B any](all []A, fn func(A) B) []B {
	mapped := make([]B, len(all))
	for i, one := range all {
		mapped[i] = fn(one)
	}
	return mapped
}
