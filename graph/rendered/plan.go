package rendered

import (
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/item"
)

// shape is the form of a type in a document: all its fields, in declared order.
type shape struct {
	typeName string   // GraphQL's
	types    []string // typeName, and the interfaces that it implements
	names    []string
	fields   map[string]source // by GraphQL's name
}

// source is the place of a field's value in the document.
type source struct {
	index  int
	isEnum bool   // written in lower case in documents
	nested *shape // of an object, or of a list of them
}

var itemShape = shapeOfItem()

func shapeOfItem() *shape {
	s := shapeOf(reflect.TypeFor[item.Item](), "Item", "created_by") // in GraphQL, createdBy is a User
	s.types = append(s.types, "Node")
	return s
}

// shapeOf reads a shape from the type's JSON tags, without the fields that GraphQL resolves.
func shapeOf(t reflect.Type, typeName string, resolved ...string) *shape {
	s := &shape{typeName: typeName, types: []string{typeName}, fields: map[string]source{}}
	for index := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(index).Tag.Get("json"), ",")
		s.names = append(s.names, name)
		of := t.Field(index).Type
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		from := source{index: index, isEnum: of.Kind() == reflect.String && of != reflect.TypeFor[string]()}
		if of.Kind() == reflect.Struct && of != reflect.TypeFor[time.Time]() && of != reflect.TypeFor[uuid.UUID]() {
			from.nested = shapeOf(of, of.Name())
		}
		s.fields[camelCase(name)] = from
	}
	for _, name := range resolved {
		delete(s.fields, camelCase(name))
	}
	return s
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for n := 1; n < len(words); n++ {
		words[n] = strings.ToUpper(words[n][:1]) + words[n][1:]
	}
	return strings.Join(words, "")
}

// plan writes a selection.
type plan struct {
	of     *shape
	fields []field
	last   int // the last field of the document that is needed; -1 for none
}

type field struct {
	key string // with its quotes and colon, and the comma before it
	source
	literal string // written instead of a source
	within  *plan
}

// plan prepares a selection; nil if it needs more than the document.
func (s *shape) plan(op *graphql.OperationContext, selected ast.SelectionSet) *plan {
	p := &plan{of: s, last: -1}
	collected := graphql.CollectFields(op, selected, s.types)
	p.fields = make([]field, 0, len(collected))
	for n, c := range collected {
		f := field{key: `,"` + c.Alias + `":`}
		if n == 0 {
			f.key = f.key[1:]
		}
		switch from, ok := s.fields[c.Name]; {
		case c.Name == "__typename":
			f.literal = `"` + s.typeName + `"`
		case !ok:
			return nil
		default:
			f.source = from
			p.last = max(p.last, from.index)
			if from.nested != nil {
				if f.within = from.nested.plan(op, c.Selections); f.within == nil {
					return nil
				}
			}
		}
		p.fields = append(p.fields, f)
	}
	return p
}

// maxFields limits the fields of an object.
const maxFields = 32

// append writes the selection of an object. ok is false if the JSON does not have the plan's shape; then discard the
// output.
func (p *plan) append(to, object []byte) (written []byte, ok bool) {
	var values [maxFields][]byte
	if !p.of.find(&values, object, p.last) {
		return to, false
	}
	to = append(to, '{')
	for n := range p.fields {
		f := &p.fields[n]
		to = append(to, f.key...)
		switch value := values[f.index]; {
		case f.literal != "":
			to = append(to, f.literal...)
		case f.within != nil:
			if to, ok = f.within.appendNested(to, value); !ok {
				return to, false
			}
		case f.isEnum:
			for _, b := range value {
				if 'a' <= b && b <= 'z' {
					b -= 'a' - 'A'
				}
				to = append(to, b)
			}
		default:
			to = append(to, value...)
		}
	}
	return append(to, '}'), true
}

// appendNested writes the selection of an object, of null, or of each object of a list.
func (p *plan) appendNested(to, value []byte) (written []byte, ok bool) {
	switch value[0] {
	case 'n':
		return append(to, value...), true
	case '{':
		return p.append(to, value)
	case '[':
		to = append(to, '[')
		for rest := value[1:]; rest[0] != ']'; {
			if rest[0] == ',' {
				to = append(to, ',')
				rest = rest[1:]
			}
			n := skip(rest)
			if n == 0 {
				return to, false
			}
			if to, ok = p.append(to, rest[:n]); !ok {
				return to, false
			}
			if rest = rest[n:]; len(rest) == 0 {
				return to, false
			}
		}
		return append(to, ']'), true
	default:
		return to, false
	}
}

// raw is JSON that is written unchanged.
type raw []byte

func (r raw) MarshalGQL(w io.Writer) { _, _ = w.Write(r) }
