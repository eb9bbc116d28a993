package browse

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// object is a JSON object whose members stay in the order in which they were written: that is the order in which people are shown them.
type object struct {
	names  []string
	values map[string]any
}

func (o *object) get(name string) any {
	if o == nil {
		return nil
	}
	return o.values[name]
}

func (o *object) set(name string, value any) {
	if _, there := o.values[name]; !there {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

func (o *object) has(name string) bool {
	if o == nil {
		return false
	}
	_, there := o.values[name]
	return there
}

func (o *object) object(name string) *object {
	child, _ := o.get(name).(*object)
	return child
}

func (o *object) list(name string) []any {
	list, _ := o.get(name).([]any)
	return list
}

func (o *object) text(name string) string {
	text, _ := o.get(name).(string)
	return text
}

func (o *object) isTrue(name string) bool {
	is, _ := o.get(name).(bool)
	return is
}

// keys are the names in their order.
func (o *object) keys() []string {
	if o == nil {
		return nil
	}
	return o.names
}

func newObject() *object { return &object{values: map[string]any{}} }

// deepestJSON is how deep a value may be: an API's are at most half as deep, and a stack has an end.
const deepestJSON = 64

// parse reads JSON into *object, []any, string, json.Number, bool and nil.
func parse(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := parseValue(decoder, deepestJSON)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("it ends too early")
	case err != nil:
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return value, nil
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if _, opens := token.(json.Delim); opens && depth == 0 {
		return nil, errors.New("it is too deep")
	}
	switch token {
	case json.Delim('{'):
		o := newObject()
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(decoder, depth-1)
			if err != nil {
				return nil, err
			}
			o.set(fmt.Sprint(name), value)
		}
		_, err = decoder.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := parseValue(decoder, depth-1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = decoder.Token()
		return list, err
	}
	return token, nil
}

// spec is an OpenAPI document as it is written.
type spec struct{ root *object }

// follow returns what node is, or refers to: with the name of its component, if it has one. What stands beside a $ref is the caller's to
// look at.
func (s spec) follow(node any) (target *object, name string) {
	target, _ = node.(*object)
	for range 32 { // a document may refer in circles
		ref := target.text("$ref")
		if ref == "" {
			return target, name
		}
		var at any = s.root
		for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			parent, _ := at.(*object)
			at, name = parent.get(step), step
		}
		target, _ = at.(*object)
	}
	return nil, name
}

// quote writes a JSON string.
func quote(text string) string { return inWords(text) }

// inWords is a JSON value as people read it: in its order, and without escapes for what only HTML minds.
func inWords(value any) string {
	var out bytes.Buffer
	write(&out, value)
	return out.String()
}

func write(out *bytes.Buffer, value any) {
	switch value := value.(type) {
	case *object:
		out.WriteByte('{')
		for i, name := range value.names {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, name)
			out.WriteByte(':')
			write(out, value.values[name])
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, one := range value {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, one)
		}
		out.WriteByte(']')
	case json.RawMessage: // as it was, whatever it is
		out.Write(value)
	default:
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(value) // a scalar: it can be encoded
		out.Truncate(out.Len() - 1)
	}
}
