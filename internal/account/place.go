package account

import (
	"encoding/base64"

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
