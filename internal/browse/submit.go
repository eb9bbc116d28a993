package browse

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// The names in a form that are not those of fields.
const (
	methodName  = "_method"
	contentName = "_content"      // of the raw editor: the body as it is
	typeName    = "_content_type" // and its media type
	etagName    = "_etag"         // what the form was filled from
	wasName     = "_was"          // the same, as JSON: the form sends what differs from it
	keyName     = "_key"          // new for each form: a form that is sent twice does its work once

	bodyPrefix   = "body."
	queryPrefix  = "query."
	headerPrefix = "header."
)

// mostForm is how much a form may hold: what makes a body of 1 MiB, the values that it was filled from, and their escapes.
const mostForm = 8 << 20

// mostOfStrangers is how much of a form is read, only to hand it back, that comes without a session.
const mostOfStrangers = 256 << 10

// submission is a form that was sent, and the request that it stands for.
type submission struct {
	form      url.Values
	method    string
	op        *operation // nil when the address does not take the method
	raw       bool
	mediaType string
	body      []byte
	was       map[string]json.RawMessage
	faults    []problem.Fault // that keep it from being a request
	request   *http.Request
}

// readSubmission reads a form, and makes the request of it.
func readSubmission(w http.ResponseWriter, r *http.Request, res *resource) (*submission, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostForm))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, problem.New(problem.TooLarge, "A form may hold at most %d bytes.", mostForm)
		}
		return nil, problem.New(problem.BadRequest, "The form could not be read to its end.")
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, problem.New(problem.BadRequest, "The form cannot be read.")
	}
	s := &submission{form: form, method: cmp.Or(strings.ToUpper(form.Get(methodName)), http.MethodPost), raw: form.Has(contentName)}
	s.op = res.operation(s.method)
	if form.Get(wasName) != "" {
		_ = json.Unmarshal([]byte(form.Get(wasName)), &s.was) // what cannot be read is not there
	}
	s.compose()
	s.request = s.make(r)
	return s, nil
}

// readStrangers reads a form of somebody who is not signed in; nil when it is too large, or stands for no operation.
func readStrangers(w http.ResponseWriter, r *http.Request, res *resource) *submission {
	r.Body = http.MaxBytesReader(w, r.Body, mostOfStrangers)
	if s, err := readSubmission(w, r, res); err == nil && s.op != nil {
		return s
	}
	return nil
}

// compose makes the body.
func (s *submission) compose() {
	if s.op == nil || len(s.op.bodies) == 0 {
		return
	}
	s.mediaType = s.op.bodies[0].mediaType
	if s.raw {
		s.mediaType = cmp.Or(s.form.Get(typeName), s.mediaType)
		s.body = []byte(strings.ReplaceAll(s.form.Get(contentName), "\r\n", "\n"))
		return
	}
	s.body, s.faults = s.op.bodies[0].compose(s.form, s.was, s.method)
	if string(s.body) == "{}" && !s.op.bodyNeeded {
		s.body = nil
	}
}

// compose makes a JSON object of a form. What the person has left as it was is sent as it was, and of a merge patch is left out.
func (b *body) compose(form url.Values, was map[string]json.RawMessage, method string) ([]byte, []problem.Fault) {
	patches := method == http.MethodPatch
	var faults []problem.Fault
	made := newObject()
	for i := range b.fields {
		f := &b.fields[i]
		old := was[f.Name]
		typed := form[f.Input]
		if !f.isIn(form) || f.unchanged(old, typed) {
			if !patches && !isNothing(old) {
				made.set(f.Name, old)
			}
			continue
		}
		value, err := f.value(f.kindFor(old), typed)
		switch {
		case err != nil:
			faults = append(faults, problem.Fault{Pointer: strictjson.Pointer(f.Name), Detail: err.Error()})
		case len(value) > 0 && patches && strings.HasPrefix(b.mediaType, "application/merge-patch+json"):
			made.set(f.Name, mergePatch(old, value))
		case len(value) > 0:
			made.set(f.Name, value)
		case patches:
			made.set(f.Name, f.emptied())
		}
	}
	return []byte(inWords(made)), faults
}

// isIn reports whether a form has a field. Of boxes that nobody has ticked, none is there.
func (f *field) isIn(form url.Values) bool { return f.Kind == kindChecks || form.Has(f.Input) }

// unchanged reports whether a form holds for a field what it was filled with.
func (f *field) unchanged(old json.RawMessage, typed []string) bool {
	normal := func(texts []string) string {
		return strings.ReplaceAll(strings.ReplaceAll(strings.Join(texts, "\n"), "\r\n", "\n"), "\r", "\n")
	}
	return normal(f.shown(old)) == normal(typed)
}

// emptied is what a patch says for a field that somebody has emptied.
func (f *field) emptied() json.RawMessage {
	switch {
	case f.Nullable:
		return json.RawMessage("null")
	case f.Kind == kindLines || f.Kind == kindChecks:
		return json.RawMessage("[]")
	}
	return json.RawMessage(`""`)
}

// mergePatch is the merge patch (RFC 7396) from one value to another: what an object has no more is null.
func mergePatch(from, to json.RawMessage) json.RawMessage {
	old, errOld := parse(from)
	now, errNow := parse(to)
	if errOld != nil || errNow != nil {
		return to
	}
	return json.RawMessage(inWords(patchOf(old, now)))
}

func patchOf(old, now any) any {
	before, wasObject := old.(*object)
	after, isObject := now.(*object)
	if !wasObject || !isObject {
		return now
	}
	patch := newObject()
	for _, name := range before.names {
		if !after.has(name) {
			patch.set(name, nil)
		}
	}
	for _, name := range after.names {
		if inWords(before.get(name)) != inWords(after.get(name)) || !before.has(name) {
			patch.set(name, patchOf(before.get(name), after.get(name)))
		}
	}
	return patch
}

// make makes the request of the API.
func (s *submission) make(r *http.Request) *http.Request {
	query := url.Values{}
	made := withQuery(r, "")
	made.Method = s.method
	made.Header.Del("Content-Type")
	made.Header.Del("Content-Length")
	made.Header.Set("Accept", "*/*")
	if s.op != nil {
		for i := range s.op.asides {
			f := &s.op.asides[i]
			switch values := f.query(s.form[f.Input]); {
			case len(values) == 0:
			case f.place == queryPrefix:
				query[f.Name] = values
			default:
				made.Header.Set(f.Name, values[0])
			}
		}
		s.setPreconditions(made.Header)
	}
	made.URL.RawQuery = readable(query)
	made.Body, made.ContentLength = http.NoBody, 0
	if s.mediaType != "" && (len(s.body) > 0 || s.op.bodyNeeded) {
		made.Header.Set("Content-Type", s.mediaType)
		made.Body, made.ContentLength = io.NopCloser(bytes.NewReader(s.body)), int64(len(s.body))
	}
	return made
}

// setPreconditions sets what forms carry with them.
func (s *submission) setPreconditions(h http.Header) {
	if etag := s.form.Get(etagName); etag != "" && s.op.parameterNamed("header", "If-Match") != nil {
		h.Set("If-Match", etag)
	}
	if key := s.form.Get(keyName); key != "" && s.op.parameterNamed("header", "Idempotency-Key") != nil {
		// Of what is done too: who goes back, changes the form and sends it again means another thing.
		sum := sha256.Sum256(s.body)
		h.Set("Idempotency-Key", key+"-"+base64.RawURLEncoding.EncodeToString(sum[:9]))
	}
}
