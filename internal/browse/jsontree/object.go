// Package jsontree reads JSON into values whose objects retain the order of their members, and writes them again.
//
// The pages show a contract, and what people typed, in the order in which it was written; a Go map would lose that
// order. Numbers retain every digit. The package must not know what a value means.
package jsontree

// Object is a JSON object. Its reading methods may be called on nil, and then find nothing.
type Object struct {
	names  []string
	values map[string]any
}

// New returns an empty object.
func New() *Object { return &Object{values: map[string]any{}} }

// Names returns the names of the members in their order. The caller must not change them.
func (o *Object) Names() []string {
	if o == nil {
		return nil
	}
	return o.names
}

// Has reports whether there is a member of that name; its value may be null.
func (o *Object) Has(name string) bool {
	if o == nil {
		return false
	}
	_, found := o.values[name]
	return found
}

// Get returns the value of a member: *Object, []any, string, json.Number, bool or nil.
func (o *Object) Get(name string) any {
	if o == nil {
		return nil
	}
	return o.values[name]
}

// Set sets a member. A new one comes last.
func (o *Object) Set(name string, value any) {
	if !o.Has(name) {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

// Object returns a member that is an object; nil for any other.
func (o *Object) Object(name string) *Object {
	child, _ := o.Get(name).(*Object)
	return child
}

// List returns a member that is an array; nil for any other.
func (o *Object) List(name string) []any {
	list, _ := o.Get(name).([]any)
	return list
}

// Text returns a member that is a string; "" for any other.
func (o *Object) Text(name string) string {
	text, _ := o.Get(name).(string)
	return text
}

// Texts returns the strings of a member: all strings of an array, or a string itself.
func (o *Object) Texts(name string) []string {
	if text, ok := o.Get(name).(string); ok {
		return []string{text}
	}
	var texts []string
	for _, value := range o.List(name) {
		if text, ok := value.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// IsTrue reports whether a member is true.
func (o *Object) IsTrue(name string) bool {
	is, _ := o.Get(name).(bool)
	return is
}
