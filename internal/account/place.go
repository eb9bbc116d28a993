package account

import (
	"encoding/base64"
	"fmt"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// page takes the row off that tells of more, and says where the next page begins: after the id of the last row, opaque to clients.
func page[Row any](rows []Row, limit int, id func(Row) uuid.UUID) (_ []Row, next string) {
	if len(rows) > limit {
		rows = rows[:limit]
		last := id(rows[limit-1])
		next = base64.RawURLEncoding.EncodeToString(last[:])
	}
	return rows, next
}

func readPlace(after string) (*uuid.UUID, error) {
	if after == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(after)
	if err != nil || len(raw) != len(uuid.UUID{}) {
		return nil, problem.New(problem.InvalidCursor, "The position is not one of this list; take it from next.")
	}
	id := uuid.UUID(raw)
	return &id, nil
}

// IfRevision is the precondition of a change: the thing has one of these revisions. Nil is no condition. Error of the change:
// REVISION_MISMATCH.
type IfRevision []int64

// Check holds the condition against the revision that there is.
func (c IfRevision) Check(revision int64) error {
	if c == nil {
		return nil
	}
	for _, one := range c {
		if one == revision {
			return nil
		}
	}
	return &problem.Error{Code: problem.RevisionMismatch, Revision: revision,
		Detail: fmt.Sprintf("It has revision %d by now; read it again and decide anew.", revision)}
}
