package form

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"

	"itemcast/internal/account"
	"itemcast/internal/browse/jsontree"
	"itemcast/internal/browse/spec"
)

// Draft is a form with the values that a page shows.
type Draft struct {
	*spec.Operation
	Target  string // the address that the form is sent to
	Open    bool   // shown unfolded
	OpenRaw bool   // the raw editor is open, and the fields are folded
	Danger  bool
	Inputs  []Input // of the body
	Asides  []Input // of the query and the headers
	HasBody bool
	Types   []string // media types to choose from
	Type    string
	Content string // of the raw editor
	ETag    string
	Was     string // the representation that filled the form
	Key     string // for Idempotency-Key
}

// Lines is the height of the raw editor.
func (d *Draft) Lines() int { return height(d.Content, 2, 6, 24) }

// Filling is the content of a draft. Every part may be missing.
type Filling struct {
	Record      Record // the representation at the address
	ETag        string
	Problem     *Problem            // what went wrong when the form was sent
	Permissions account.Permissions // of the user

	sent url.Values // the controls that the user sent; fields show them instead of the record
}

// Offer returns the form for an address. Only the form of an update is filled with the representation there.
func (f *Form) Offer(target string, with Filling) Draft {
	if !f.Operation.Updates() {
		with.Record = nil
	} else if len(f.bodies) > 0 {
		with.Record = f.bodies[0].settable(with.Record)
	}
	return f.draft(target, with)
}

// Again returns a form as it was sent, with its problem.
func (s *Submission) Again(target string, problem *Problem, permissions account.Permissions) Draft {
	d := s.Form.draft(target, Filling{
		Record: s.was, ETag: s.ETag(), Problem: problem, Permissions: permissions, sent: s.values,
	})
	d.Open = true
	return d
}

func (f *Form) draft(target string, with Filling) Draft {
	d := Draft{Operation: f.Operation, Target: target, Danger: f.Operation.Method == http.MethodDelete}
	if f.takes("If-Match") {
		d.ETag = with.ETag
	}
	if f.takes("Idempotency-Key") {
		d.Key = rand.Text()
	}
	for i := range f.asides {
		aside := &f.asides[i]
		d.Asides = append(d.Asides, Input{Field: aside, Kind: aside.Kind, Values: with.sent[aside.Control],
			Error: with.Problem.claim(aside)})
	}
	if len(f.bodies) > 0 {
		f.draftBody(&d, with)
	}
	return d
}

func (f *Form) draftBody(d *Draft, with Filling) {
	b := &f.bodies[0]
	for _, other := range f.bodies {
		d.Types = append(d.Types, other.MediaType)
	}
	was := jsontree.New()
	for i := range b.fields {
		field := &b.fields[i]
		old := with.Record[field.Name]
		d.Inputs = append(d.Inputs, field.input(old, with))
		if len(old) > 0 {
			was.Set(field.Name, old)
		}
	}
	if len(was.Names()) > 0 {
		d.Was = jsontree.Encode(was)
	}
	d.HasBody = true
	d.Type = cmp.Or(with.sent.Get(typeName), b.MediaType)
	d.OpenRaw = len(b.fields) == 0 || with.sent.Has(contentName)
	switch {
	case with.sent.Has(contentName):
		d.Content = with.sent.Get(contentName)
	case d.Was != "":
		d.Content = indented([]byte(d.Was))
	case spec.IsJSON(b.MediaType):
		d.Content = indented([]byte(jsontree.Encode(skeleton(b.Schema, 0))))
	}
}

// input returns the field of a body with the values that the user sent, or else with the stored ones.
func (f *Field) input(old json.RawMessage, with Filling) Input {
	in := Input{Field: f, Kind: f.kindFor(old), Denied: f.Permission != "" && !with.Permissions.Has(f.Permission)}
	if in.Kind == kindRows {
		in.Rows = f.rows(old, with) // claims the faults of its fields
	}
	in.Error = with.Problem.claim(f)
	switch {
	case in.Kind == kindRows:
		in.Values = []string{rowsSent}
	case f.Kind == kindSecret: // never filled in
	case with.sent != nil && !in.Denied:
		in.Values = with.sent[f.Control]
	default:
		in.Values = f.texts(old)
	}
	return in
}
