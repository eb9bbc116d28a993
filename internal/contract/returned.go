package contract

import (
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"itemcast/internal/jsonobject"
	"itemcast/internal/plainjson"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// serverSet knows the members that an operation answers with and does not take: those that only the server sets.
type serverSet struct {
	names    map[string]bool
	volatile map[string]bool     // x-volatile: they change by themselves
	from     map[string][]string // x-from: the path to a member that the body takes under another name
	updates  bool                // PUT and PATCH take the members back; POST has nothing to compare them with
	revision bool                // the operation takes If-Match
}

// serverSetOf compares what an operation answers with what it takes; nil if the answer has nothing more.
func serverSetOf(method string, spec *openapi3.Operation) *serverSet {
	s := &serverSet{
		names: map[string]bool{}, volatile: map[string]bool{}, from: map[string][]string{},
		updates: method == http.MethodPut || method == http.MethodPatch,
	}
	taken := map[string]*openapi3.SchemaRef{}
	for _, content := range spec.RequestBody.Value.Content {
		addProperties(taken, content.Schema.Value)
	}
	for name, property := range taken {
		if from, _ := property.Value.Extensions["x-from"].(string); from != "" {
			s.from[name] = strings.Split(from, "/")
		}
	}
	for status, response := range spec.Responses.Map() {
		content := response.Value.Content["application/json"]
		if !strings.HasPrefix(status, "2") || content == nil {
			continue
		}
		answered := map[string]*openapi3.SchemaRef{}
		addProperties(answered, content.Schema.Value)
		for name, property := range answered {
			s.names[name] = s.names[name] || taken[name] == nil
			s.volatile[name], _ = property.Value.Extensions["x-volatile"].(bool)
		}
	}
	for _, parameter := range spec.Parameters {
		s.revision = s.revision || parameter.Value.Name == "If-Match"
	}
	for _, differs := range s.names {
		if differs {
			return s
		}
	}
	return nil
}

func addProperties(all map[string]*openapi3.SchemaRef, schema *openapi3.Schema) {
	for _, part := range schema.AllOf {
		addProperties(all, part.Value)
	}
	for name, property := range schema.Properties {
		all[name] = property
	}
}

// cut takes the members that only the server sets out of an object and its bytes. returned is nil if there are none.
func (s *serverSet) cut(object map[string]any, data []byte) (rest []byte, returned *Returned, err error) {
	if s == nil || !s.occursIn(object) {
		return data, nil, nil
	}
	members, err := jsonobject.Members(data)
	if err != nil {
		return nil, nil, err
	}
	returned = &Returned{values: map[string]any{}, volatile: s.volatile}
	for i, m := range members {
		if s.names[m.Name] {
			returned.names = append(returned.names, m.Name)
			returned.values[m.Name] = object[m.Name]
			delete(object, m.Name)
			members[i].Value = nil // Encode omits it
		}
	}
	for name, path := range s.from {
		whole, given := returned.values[path[0]]
		if _, named := object[name]; named || !given || !s.updates {
			continue
		}
		value := takeFrom(whole, path[1:])
		if whole == nil {
			delete(returned.values, path[0]) // the body's member says so
		}
		object[name] = value
		raw, err := plainjson.Marshal(value)
		if err != nil {
			return nil, nil, err
		}
		members = append(members, jsonobject.Member{Name: name, Value: raw})
	}
	rest, err = jsonobject.Encode(members)
	return rest, returned, err
}

func (s *serverSet) occursIn(object map[string]any) bool {
	for name := range object {
		if s.names[name] {
			return true
		}
	}
	return false
}

// takeFrom removes the value at a path and returns it; nil if there is none.
func takeFrom(value any, path []string) any {
	object, _ := value.(map[string]any)
	member := object[path[0]]
	if len(path) > 1 {
		return takeFrom(member, path[1:])
	}
	delete(object, path[0])
	return member
}

// refusals returns a fault for each member that a POST cannot have.
func (r *Returned) refusals() (faults problem.Faults) {
	for _, name := range r.names {
		faults.At(strictjson.Pointer(name), "is set by the server; leave it out")
	}
	return faults
}
