package change

import (
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// errDropped: the log no longer keeps the position.
var errDropped = errors.New("position is no longer kept")

// A cursor is the log's epoch and a position, opaque to clients: 16 + 8 bytes in base64url.
func encodeCursor(epoch uuid.UUID, p Position) string {
	raw := binary.BigEndian.AppendUint64(epoch[:], uint64(p))
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeCursor(epoch uuid.UUID, cursor string) (Position, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != len(epoch)+8 {
		return 0, problem.New(problem.InvalidCursor, "The cursor is not one that was given out; take it from a change or from changeCursor.")
	}
	if uuid.UUID(raw[:16]) != epoch {
		return 0, problem.New(problem.CursorExpired, "The cursor is of another log, from before this database was made or restored; list anew and take changeCursor.")
	}
	p := Position(binary.BigEndian.Uint64(raw[16:]))
	if p < 0 {
		return 0, problem.New(problem.InvalidCursor, "The cursor is not one that was given out; take it from a change or from changeCursor.")
	}
	return p, nil
}
