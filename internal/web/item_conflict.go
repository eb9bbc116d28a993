package web

import (
	"net/http"

	"github.com/google/uuid"

	"itemcast/internal/item"
)

// conflictView shows what the user has typed beside what somebody else has saved meanwhile, field by field.
type conflictView struct {
	Who  *string // who saved last; nil if the log no longer says
	Rows []conflictRow
}

// conflictRow is a field in which the two versions differ. The user chooses one of them.
type conflictRow struct {
	Name, Label  string
	Mine, Theirs string
	TakesTheirs  bool // what is chosen unless the user says otherwise
	Both         bool // both have changed it
}

// showConflict answers with both versions. A field that only one of them has changed is preselected to that one.
func (c *call) showConflict(fields []itemField, now *item.Item, loaded int64) error {
	before, who, err := c.revisionOf(now.ID, loaded)
	if err != nil {
		return err
	}
	form := c.newForm(fields, now) // with the revision that the next attempt changes
	conflict := &conflictView{}
	for _, f := range fields {
		mine, theirs := c.value(f.Name), f.read(now)
		if !c.sent(f.Name) || same(mine, theirs) {
			continue
		}
		row := conflictRow{Name: f.Name, Label: f.Label, Mine: mine, Theirs: theirs, Both: true}
		if before != nil {
			row.TakesTheirs = same(mine, f.read(before))
			row.Both = !row.TakesTheirs && !same(theirs, f.read(before))
		}
		if f.Kind == "choice" {
			row.Mine, row.Theirs = c.optionText(f.Options, mine), c.optionText(f.Options, theirs)
		}
		conflict.Rows = append(conflict.Rows, row)
	}
	if len(conflict.Rows) == 0 {
		return c.seeOther(c.itemPath(now.ID), done("item.saved.same"))
	}
	names := names{}
	if who != nil {
		conflict.Who = names.of(who)
		if err := c.fillNames(names); err != nil {
			return err
		}
	}
	for n, f := range fields { // what the user has typed, for the next attempt
		form.Fields[n] = f.with(c.value(f.Name))
	}
	form.Conflict = conflict
	return c.writeItem(http.StatusConflict, now, form)
}

func (c *call) optionText(options []option, value string) string {
	for _, o := range options {
		if o.Value == value {
			return o.Text
		}
	}
	return value
}

// maxLooked is the number of changes in which a revision is looked for.
const maxLooked = 100

// revisionOf returns an item as it was at a revision, and who has changed it last. The item is nil when the log, or its
// last changes, no longer have that revision.
func (c *call) revisionOf(id uuid.UUID, revision int64) (was *item.Item, who *uuid.UUID, err error) {
	changes, _, err := c.pages.Config.Items.History(c.Context(), id, maxLooked, c.value("history"))
	if err != nil {
		return nil, nil, err
	}
	for _, change := range changes {
		if change.Revision == revision {
			was, err = item.Decode(change.Document)
			break
		}
	}
	if len(changes) > 0 {
		who = changes[0].Actor
	}
	return was, who, err
}
