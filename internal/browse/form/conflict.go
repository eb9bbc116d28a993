package form

import (
	"cmp"
	"maps"
)

// Change is a field that somebody else changed while the user was filling in the form.
type Change struct {
	Name, Was, Now string
	Mine           bool // the form changes it too
}

// Rebase returns a form that applies the user's changes to the current representation: fields that the user did not
// touch hold the others' values. It also returns what the others changed.
func (s *Submission) Rebase(target string, with Filling) (Draft, []Change) {
	with.sent = maps.Clone(s.values)
	var changes []Change
	if len(s.Form.bodies) > 0 {
		b := &s.Form.bodies[0]
		with.Record = b.settable(with.Record)
		for i := range b.fields {
			f := &b.fields[i]
			was, now := s.was[f.Name], with.Record[f.Name]
			mine := f.isSent(s.values) && !f.isUnchangedIn(s.values, was)
			if len(s.was) > 0 && !isSame(was, now) {
				changes = append(changes, Change{
					Name: f.Name, Was: cmp.Or(Shorten(string(was)), "null"), Now: cmp.Or(Shorten(string(now)), "null"),
					Mine: mine && !s.raw,
				})
			}
			if !mine {
				with.sent[f.Control] = f.texts(now)
			}
		}
	}
	d := s.Form.draft(target, with)
	d.Open = true
	return d, changes
}
