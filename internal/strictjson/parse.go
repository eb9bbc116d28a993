package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// Check checks a document. Errors: INVALID_JSON, at the first place that is not JSON; INVALID_INPUT, with up to
// [problem.MaxFaults] faults.
func Check(data []byte, limits Limits) *problem.Error {
	_, err := Parse(data, limits)
	return err
}

// Parse checks a document like [Check], and returns it as nil, bool, json.Number, string, []any and map[string]any.
func Parse(data []byte, limits Limits) (any, *problem.Error) {
	limits = limits.withDefaults()
	p := parser{in: jsontext.NewDecoder(bytes.NewBuffer(data)), limits: limits}
	value, err := p.value()
	if err == nil {
		err = p.end()
	}
	switch {
	case err != nil:
		return nil, p.invalid(err, data)
	case len(p.faults) > 0:
		return nil, problem.Invalid(problem.InvalidInput, p.faults...)
	}
	return value, nil
}

type parser struct {
	in     *jsontext.Decoder
	limits Limits
	path   []string
	values int
	faults problem.Faults
}

func (p *parser) fault(detail string) {
	if len(p.faults) < problem.MaxFaults { // do not compute pointers to 50,000 values
		p.faults.At(Pointer(p.path...), detail)
	}
}

func (p *parser) value() (any, error) {
	kind := p.in.PeekKind()
	if (kind == '{' || kind == '[') && p.in.StackDepth() >= p.limits.Depth {
		p.fault(fmt.Sprintf("must be at most %d levels deep", p.limits.Depth))
		return nil, p.in.SkipValue()
	}
	token, err := p.in.ReadToken()
	if err != nil {
		return nil, err
	}
	if p.values++; p.values > p.limits.Values {
		return nil, errTooMany
	}
	switch kind {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.text(token.String()), nil
	case '0':
		return p.number(token.String()), nil
	case 'n':
		return nil, nil
	default:
		return token.Bool(), nil
	}
}

func (p *parser) object() (any, error) {
	object := make(map[string]any)
	for p.in.PeekKind() != '}' {
		token, err := p.in.ReadToken()
		if err != nil {
			return nil, err
		}
		name := token.String()
		p.path = append(p.path, name)
		p.text(name)
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		object[name] = value
	}
	_, err := p.in.ReadToken()
	return object, err
}

func (p *parser) array() (any, error) {
	array := []any{}
	for p.in.PeekKind() != ']' {
		p.path = append(p.path, strconv.Itoa(len(array)))
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		p.path = p.path[:len(p.path)-1]
		array = append(array, value)
	}
	_, err := p.in.ReadToken()
	return array, err
}

func (p *parser) text(s string) string {
	if detail := validate.Storable(s); detail != "" {
		p.fault(detail)
	}
	return s
}

// number accepts what a double can hold, even if less precisely: beyond that, readers differ (RFC 8259 §6). It also
// refuses numbers that a double rounds to zero: exact arithmetic on an exponent such as 1e-999999999 exhausts memory.
func (p *parser) number(literal string) json.Number {
	if len(literal) > p.limits.Number {
		p.fault(fmt.Sprintf("must be a number of at most %d characters", p.limits.Number))
		return "0"
	}
	value, err := strconv.ParseFloat(literal, 64)
	if err != nil || value == 0 && strings.ContainsAny(literal, "eE") {
		if err != nil || !isZero(literal) {
			p.fault("must be a number between -1.8e308 and 1.8e308, and not closer to zero than 5e-324")
		}
		return "0"
	}
	return json.Number(literal)
}

// isZero reports whether all digits before a literal's exponent are zero.
func isZero(literal string) bool {
	digits, _, _ := strings.Cut(strings.ToLower(literal), "e")
	return !strings.ContainsAny(digits, "123456789")
}
