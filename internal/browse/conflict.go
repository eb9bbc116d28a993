package browse

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
)

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
		page.Actions = []action{p.refill(r, v, page.Problem)}
		return
	}
	asked := plainly(r, "")
	asked.Method, asked.Body, asked.ContentLength = http.MethodGet, http.NoBody, 0
	asked.Header.Del("Content-Type")
	now := p.ask(w, asked, &visit{res: v.res})
	fill := filling{typed: url.Values{}, etag: now.header.Get("ETag"), has: v.actor.Permissions}
	if now.status != http.StatusOK || !now.isJSON || json.Unmarshal(now.body.Bytes(), &fill.members) != nil {
		return
	}
	fill.members = s.op.settable(fill.members)
	for name, values := range s.form {
		fill.typed[name] = values
	}
	for _, b := range s.op.bodies[:min(1, len(s.op.bodies))] {
		for i := range b.fields {
			f := &b.fields[i]
			was, is := s.was[f.Name], fill.members[f.Name]
			mine := f.isIn(s.form) && !f.unchanged(was, s.form[f.Input])
			if len(s.was) > 0 && !sameJSON(was, is) {
				page.Changed = append(page.Changed, changedField{f.Name, cmp.Or(short(string(was)), "null"), cmp.Or(short(string(is)), "null"), mine && !s.raw})
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

// short is a text for a table, or a title.
func short(text string) string {
	const most = 300
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
