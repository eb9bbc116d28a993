package item

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// restored are the values of an exported document that only the server sets, and that an import may keep.
type restored struct {
	createdAt, updatedAt, publishedAt *time.Time
	revision                          int64         // 0: the input is no document
	checked                           bool          // a definition of the import was rejected: check the metadata
	ended                             *ItemWorkflow // the document's workflow, if its run had ended
}

// maxRevision leaves room below GraphQL's Int, 2^31 - 1, for the changes that follow.
const maxRevision = 1_000_000_000

// readRestored reads the times and the revision of a document. Error: INVALID_INPUT.
func readRestored(members map[string]json.RawMessage) (*restored, *problem.Error) {
	r := &restored{}
	var faults problem.Faults
	for name, at := range map[string]**time.Time{
		"created_at": &r.createdAt, "updated_at": &r.updatedAt, "published_at": &r.publishedAt,
	} {
		var value *time.Time
		if raw, ok := members[name]; ok && json.Unmarshal(raw, &value) != nil {
			faults.At("#/"+name, "must be a date and time such as 2026-01-31T12:00:00Z")
		}
		if value != nil {
			faults.At("#/"+name, validate.Time(*value))
			precise := value.UTC().Truncate(time.Microsecond) // as Postgres stores it
			*at = &precise
		}
	}
	if raw, ok := members["revision"]; ok && (json.Unmarshal(raw, &r.revision) != nil ||
		r.revision < 1 || r.revision > maxRevision) {
		faults.At("#/revision", "must be a revision, a whole number from 1 to 1,000,000,000")
	}
	r.ended = endedWorkflow(members["workflow"])
	return r, problem.Of(faults.Err(problem.InvalidInput))
}

// endedWorkflow returns the workflow of a document if its run had ended; else nil.
func endedWorkflow(raw json.RawMessage) *ItemWorkflow {
	var w *ItemWorkflow
	if json.Unmarshal(raw, &w) != nil || w == nil || !slices.Contains(endedStatuses, w.Status) {
		return nil
	}
	w.CurrentAction = nil
	return w
}

// isDocument reports whether the values are those of an exported document whose metadata needs no check.
func (r *restored) isDocument() bool { return r != nil && r.revision > 0 && !r.checked }

// onNew sets the times of an item that is created, the status of a workflow that had ended, and its revision: it
// follows that of the document, so that no client takes what it has cached for the restored item.
func (r *restored) onNew(i *Item) {
	if r == nil {
		return
	}
	r.setTimes(i)
	r.setWorkflow(i, nil)
	set(&i.UpdatedAt, r.updatedAt)
	if i.UpdatedAt.Before(i.CreatedAt) {
		i.UpdatedAt = i.CreatedAt
	}
	i.Revision = max(i.Revision, r.revision+1)
}

// onExisting sets the times of an item that exists, except updated_at, the time of its last change here, and the status
// of a workflow that had ended, if the item gets another profile. If anything differs, the next revision follows that
// of the document, too.
func (r *restored) onExisting(i, before *Item) {
	if r == nil {
		return
	}
	r.setTimes(i)
	r.setWorkflow(i, before.profile())
	i.Revision = max(i.Revision, r.revision)
}

// setWorkflow sets the status of a new workflow to that of the document's, if that had ended. Its run does not begin
// again: it would publish, notify and ask people once more.
func (r *restored) setWorkflow(i *Item, before *uuid.UUID) {
	if r.ended != nil && optional.Equal(i.profile(), &r.ended.ProfileID) && !optional.Equal(i.profile(), before) {
		i.Workflow = r.ended
	}
}

func (r *restored) setTimes(i *Item) {
	set(&i.CreatedAt, r.createdAt)
	if i.PublishedAt != nil && r.publishedAt != nil {
		i.PublishedAt = r.publishedAt
	}
}
