package browse

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"itemcast/internal/account"
)

// action is a form for a method.
type action struct {
	*operation
	Target  string
	Open    bool
	ByHand  bool // the raw editor is open, rather than the form
	Danger  bool
	Inputs  []input // of the body
	Asides  []input // of the query and the headers
	Raw     bool
	Types   []string
	Type    string
	Content string
	ETag    string
	Was     string
	Key     string
	Notes   []string
}

// filling is what a form holds when it is shown.
type filling struct {
	members map[string]json.RawMessage // what there is
	typed   url.Values                 // what somebody has typed instead
	etag    string
	told    *problemView
	has     account.Permissions // of who is shown it
}

// actions are the forms of an address: of the methods that its user may call.
func (p *pages) actions(r *http.Request, v *visit, res *resource, rec *record) []action {
	if res == nil || !v.known {
		return nil
	}
	fill := filling{has: v.actor.Permissions}
	if rec.status == http.StatusOK && rec.isJSON {
		fill.etag = rec.header.Get("ETag")
		if rec.size <= rec.limit && slices.ContainsFunc(res.operations, (*operation).changes) {
			_ = json.Unmarshal(rec.body.Bytes(), &fill.members) // what is no object fills nothing
		}
	}
	var actions []action
	for _, op := range res.operations {
		if op.Method == http.MethodGet || op.forClients || !op.May(v.actor.Permissions) || rec.status == http.StatusNotFound && !op.makes() {
			continue
		}
		own := fill
		if !op.changes() {
			own.members = nil
		}
		own.members = op.settable(own.members)
		made := newAction(r.URL.EscapedPath(), op, own)
		made.Open = res.operation(http.MethodGet) == nil
		actions = append(actions, made)
	}
	return actions
}

// makes reports whether an operation may be of use where there is nothing: it makes something there, such as what is one of its kind.
func (op *operation) makes() bool {
	return op.Method == http.MethodPost && !op.resource.isOne()
}

// settable is a representation by the names by which an operation sets what is in it.
func (op *operation) settable(members map[string]json.RawMessage) map[string]json.RawMessage {
	if len(op.bodies) == 0 || len(members) == 0 {
		return members
	}
	all := maps.Clone(members)
	for _, f := range op.bodies[0].fields {
		if f.from == "" {
			continue
		}
		at := members
		steps := strings.Split(f.from, "/")
		for _, step := range steps[:len(steps)-1] {
			var inner map[string]json.RawMessage
			_ = json.Unmarshal(at[step], &inner) // null, and what is no object, has no members
			at = inner
		}
		if value, ok := at[steps[len(steps)-1]]; ok {
			all[f.Name] = value
		} else {
			all[f.Name] = json.RawMessage("null")
		}
	}
	return all
}

// changes reports whether an operation changes what is there already, so that its form is filled with that.
func (op *operation) changes() bool {
	return op.Method == http.MethodPut || op.Method == http.MethodPatch
}

func newAction(target string, op *operation, fill filling) action {
	a := action{operation: op, Target: target, Danger: op.Method == http.MethodDelete}
	if op.parameterNamed("header", "If-Match") != nil {
		a.ETag = fill.etag
	}
	if op.parameterNamed("header", "Idempotency-Key") != nil {
		a.Key = rand.Text()
	}
	for i := range op.asides {
		f := &op.asides[i]
		a.Asides = append(a.Asides, input{field: f, Kind: f.Kind, Values: fill.typed[f.Input], Error: fill.told.of(f)})
	}
	if len(op.bodies) == 0 {
		return a
	}
	a.fill(op, fill)
	return a
}

// fill fills in the body.
func (a *action) fill(op *operation, fill filling) {
	b := &op.bodies[0]
	for _, one := range op.bodies {
		a.Types = append(a.Types, one.mediaType)
	}
	was := newObject()
	for i := range b.fields {
		f := &b.fields[i]
		old := fill.members[f.Name]
		in := input{field: f, Kind: f.kindFor(old), Error: fill.told.of(f),
			Denied: f.Permission != "" && !fill.has.Has(f.Permission)}
		switch {
		case f.Kind == kindSecret:
		case fill.typed != nil && !in.Denied:
			in.Values = fill.typed[f.Input]
		default:
			in.Values = f.shown(old)
		}
		a.Inputs = append(a.Inputs, in)
		if len(old) > 0 {
			was.set(f.Name, old)
		}
	}
	if len(was.names) > 0 {
		a.Was = inWords(was)
	}
	a.Raw = true
	a.Type = cmp.Or(fill.typed.Get(typeName), b.mediaType)
	a.ByHand = len(b.fields) == 0 || fill.typed.Has(contentName)
	switch {
	case fill.typed.Has(contentName):
		a.Content = fill.typed.Get(contentName)
	case len(was.names) > 0:
		a.Content = indented([]byte(a.Was))
	case isJSON(b.mediaType):
		a.Content = indented([]byte(inWords(skeleton(b.schema, 0))))
	}
}

// Lines is how many the raw editor shows.
func (a *action) Lines() int { return min(max(strings.Count(a.Content, "\n")+2, 6), 24) }

// skeleton is a value to begin with: what is required, and what there are examples of.
func skeleton(s *schema, depth int) any {
	switch {
	case s.isSecret():
		return ""
	case len(s.examples) > 0:
		return s.examples[0]
	case s.hasPreset && s.preset != nil:
		return s.preset
	case len(s.enum) > 0:
		return s.enum[0]
	case len(s.properties) > 0 && depth < 4:
		o := newObject()
		for _, p := range s.properties {
			if p.required || len(p.examples) > 0 {
				o.set(p.name, skeleton(p.schema, depth+1))
			}
		}
		return o
	case s.is("array"):
		return []any{}
	case s.is("object"):
		return newObject()
	case s.is("integer"), s.is("number"):
		return json.Number("0")
	case s.is("boolean"):
		return false
	case s.is("string"):
		return ""
	}
	return nil
}

// refill is the form that has failed, as it was sent.
func (p *pages) refill(r *http.Request, v *visit, told *problemView) action {
	s := v.submission
	a := newAction(r.URL.EscapedPath(), s.op, filling{members: s.was, typed: s.form, etag: s.form.Get(etagName), told: told, has: v.actor.Permissions})
	a.Open = true
	return a
}
