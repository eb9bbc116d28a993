package change

import (
	"encoding/base64"
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

// encodeCursor returns the log's epoch and a position, 16 + 8 bytes, in base64url. Clients must treat it as opaque.
func encodeCursor(epoch uuid.UUID, p Position) string {
	raw := binary.BigEndian.AppendUint64(epoch[:], uint64(p))
	return base64.RawURLEncoding.EncodeToString(raw)
}

// errForeign means that a cursor belongs to another epoch.
var errForeign = errors.New("the cursor is of another log")

// decodeCursor is the inverse of encodeCursor. Errors: INVALID_CURSOR; errForeign for a cursor of another epoch.
func decodeCursor(epoch uuid.UUID, cursor string) (Position, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != len(epoch)+8 {
		return 0, errMalformed()
	}
	if uuid.UUID(raw[:16]) != epoch {
		return 0, errForeign
	}
	p := Position(binary.BigEndian.Uint64(raw[16:]))
	if p < 0 {
		return 0, errMalformed()
	}
	return p, nil
}

func errMalformed() error {
	return problem.New(problem.InvalidCursor,
		"The cursor is malformed. Pass the unmodified cursor of a change, or of a list of items.")
}
