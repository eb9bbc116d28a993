package browse

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// input is a field as a form shows it.
type input struct {
	*field
	Kind   string // in which its value can be shown
	Values []string
	Pairs  []pair
	Error  string
}

type pair struct{ Key, Value string }

// Value is that of a field that has one.
func (in *input) Value() string { return strings.Join(in.Values, "\n") }

// Has reports whether a choice is made.
func (in *input) Has(choice string) bool { return slices.Contains(in.Values, choice) }

// Lines is how many an editor shows.
func (in *input) Lines() int { return min(max(strings.Count(in.Value(), "\n")+1, 3), 16) }

// filterForm is the query's parameters.
type filterForm struct {
	Open   bool // something in it is wrong
	Set    int  // how many are given
	Inputs []input
}

// positions are the parameters that a list's own links carry (design §2): another filter begins on the first page.
var positions = []string{"after", "before"}

func newFilter(op *operation, given url.Values, told *problemView) *filterForm {
	if len(op.filter) == 0 {
		return nil
	}
	form := &filterForm{}
	for i := range op.filter {
		f := &op.filter[i]
		in := input{field: f, Kind: f.Kind}
		switch {
		case f.Kind == kindPairs:
			for _, name := range sortedKeys(given) {
				if key, ok := strings.CutPrefix(name, f.Prefix); ok && key != "" {
					in.Pairs = append(in.Pairs, pair{key, given.Get(name)})
				}
			}
			form.Set += len(in.Pairs)
			in.Pairs = append(in.Pairs, pair{})
		case slices.Contains(positions, f.Name):
		case f.Kind == kindTime:
			value, ok := local(given.Get(f.Name))
			if in.Values = []string{value}; !ok {
				in.Kind = kindText // to be shown as it is, with what is wrong with it
			}
		case f.Kind == kindChecks && !f.explode:
			in.Values = strings.Split(strings.Join(given[f.Name], ","), ",")
		case f.Kind == kindCommas:
			in.Values = []string{strings.Join(given[f.Name], ",")}
		default:
			in.Values = given[f.Name]
		}
		in.Error = told.of(f)
		form.Open = form.Open || in.Error != ""
		if given.Get(f.Name) != "" && !slices.Contains(positions, f.Name) {
			form.Set++
		}
		form.Inputs = append(form.Inputs, in)
	}
	return form
}

func sortedKeys(values url.Values) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

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
}

// actions are the forms of an address: of the methods that its user may call.
func (p *pages) actions(r *http.Request, v *visit, res *resource, rec *record) []action {
	if res == nil || !v.known || rec.status == http.StatusNotFound || rec.status == http.StatusForbidden {
		return nil
	}
	var fill filling
	if rec.status == http.StatusOK && rec.isJSON {
		fill.etag = rec.header.Get("ETag")
		if rec.size <= rec.limit && slices.ContainsFunc(res.operations, (*operation).changes) {
			_ = json.Unmarshal(rec.body.Bytes(), &fill.members) // what is no object fills nothing
		}
	}
	var actions []action
	for _, op := range res.operations {
		if op.Method == http.MethodGet || !op.May(v.actor.Permissions) {
			continue
		}
		own := fill
		if !op.changes() {
			own.members = nil
		}
		made := newAction(r.URL.EscapedPath(), op, own)
		made.Open = res.operation(http.MethodGet) == nil
		actions = append(actions, made)
	}
	return actions
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
		in := input{field: f, Kind: f.kindFor(old), Error: fill.told.of(f)}
		if fill.typed != nil {
			in.Values = fill.typed[f.Input]
		} else {
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
func (p *pages) refill(r *http.Request, s *submission, told *problemView) action {
	a := newAction(r.URL.EscapedPath(), s.op, filling{members: s.was, typed: s.form, etag: s.form.Get(etagName), told: told})
	a.Open = true
	return a
}

// changedField is one that somebody else has changed while a form was being filled in.
type changedField struct {
	Name, Was, Now string
	Mine           bool // the form changes it too
}

// conflict shows what has changed meanwhile, with a form that does what was meant to what there is now: fields that the person has not
// touched hold the others' values.
func (p *pages) conflict(w http.ResponseWriter, r *http.Request, v *visit, page *view) {
	s := v.submission
	if s.op.resource.operation(http.MethodGet) == nil {
		page.Actions = []action{p.refill(r, s, page.Problem)}
		return
	}
	asked := plainly(r, "")
	asked.Method, asked.Body, asked.ContentLength = http.MethodGet, http.NoBody, 0
	asked.Header.Del("Content-Type")
	now := p.ask(w, asked, &visit{res: v.res})
	fill := filling{typed: url.Values{}, etag: now.header.Get("ETag")}
	if now.status != http.StatusOK || !now.isJSON || json.Unmarshal(now.body.Bytes(), &fill.members) != nil {
		return
	}
	for name, values := range s.form {
		fill.typed[name] = values
	}
	for _, b := range s.op.bodies[:min(1, len(s.op.bodies))] {
		for i := range b.fields {
			f := &b.fields[i]
			was, is := s.was[f.Name], fill.members[f.Name]
			mine := !f.unchanged(was, s.form[f.Input])
			if len(s.was) > 0 && !sameJSON(was, is) {
				page.Changed = append(page.Changed, changedField{f.Name, short(was), short(is), mine && !s.raw})
			}
			if !mine {
				fill.typed[f.Input] = f.shown(is)
			}
		}
	}
	made := newAction(r.URL.EscapedPath(), s.op, fill)
	made.Open = true
	page.Actions = []action{made}
}

func sameJSON(a, b json.RawMessage) bool {
	if isNothing(a) || isNothing(b) {
		return isNothing(a) == isNothing(b)
	}
	var left, right bytes.Buffer
	return json.Compact(&left, a) == nil && json.Compact(&right, b) == nil && bytes.Equal(left.Bytes(), right.Bytes())
}

// short is a value for a table.
func short(value json.RawMessage) string {
	const most = 300
	text := []rune(string(value))
	if len(text) == 0 {
		return "null"
	}
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// relatedLink leads below what is shown.
type relatedLink struct {
	*operation
	Href string
}

func related(r *http.Request, v *visit, res *resource) []relatedLink {
	if res == nil || !v.known {
		return nil
	}
	var found []relatedLink
	for _, child := range res.children {
		below := strings.Join(child.steps[len(res.steps):], "/")
		for _, op := range child.operations {
			if op.May(v.actor.Permissions) {
				found = append(found, relatedLink{op, strings.TrimSuffix(r.URL.EscapedPath(), "/") + "/" + below})
			}
		}
	}
	return found
}
