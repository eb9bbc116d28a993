// Package page splits lists into pages by keyset: a page token holds the key of a row, and the next page starts after it.
// Rows that are inserted or deleted meanwhile neither repeat nor hide others, and page 1,000 costs what page 1 costs.
//
// A token is opaque to clients: base64url of the list's name and the key. It works in its own list and order only. The
// package must not know what a list holds.
package page

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"itemcast/internal/problem"
)

var encoding = base64.RawURLEncoding.Strict()

// Token returns the page token of a row in the list. The key's values are of type uuid.UUID, int64, string or time.Time,
// which is kept to the microsecond, as Postgres has it. It panics for other types.
func Token(list string, key ...any) string {
	raw := appendText(make([]byte, 0, 64), list)
	for _, value := range key {
		switch value := value.(type) {
		case uuid.UUID:
			raw = append(raw, value[:]...)
		case int64:
			raw = binary.BigEndian.AppendUint64(raw, uint64(value))
		case time.Time:
			raw = binary.BigEndian.AppendUint64(raw, uint64(value.UnixMicro()))
		case string:
			raw = appendText(raw, value)
		default:
			panic(fmt.Sprintf("page: a key cannot hold a %T", value))
		}
	}
	return encoding.EncodeToString(raw)
}

// Read reads a token of the list into pointers to the key's values. It guarantees what a statement's parameters need: an
// int64 is positive, a time is of the years 1 to 9999, a string is UTF-8 without U+0000. Error: INVALID_CURSOR.
func Read(token, list string, key ...any) error {
	raw, err := encoding.DecodeString(token)
	if err != nil {
		return errInvalid()
	}
	r := reader{rest: raw, ok: true}
	if r.text() != list {
		return errInvalid()
	}
	for _, value := range key {
		switch value := value.(type) {
		case *uuid.UUID:
			copy(value[:], r.next(len(value)))
		case *int64:
			*value = r.integer()
			r.ok = r.ok && *value > 0
		case *time.Time:
			*value = time.UnixMicro(r.integer()).UTC()
			r.ok = r.ok && value.Year() >= 1 && value.Year() <= 9999
		case *string:
			*value = r.text()
			r.ok = r.ok && utf8.ValidString(*value) && !strings.ContainsRune(*value, 0)
		default:
			panic(fmt.Sprintf("page: a key cannot hold a %T", value))
		}
	}
	if !r.ok || len(r.rest) > 0 {
		return errInvalid()
	}
	return nil
}

// ReadID reads a token of a list whose key is an id. Nil is the list's start. Error: INVALID_CURSOR.
func ReadID(token, list string) (*uuid.UUID, error) {
	if token == "" {
		return nil, nil
	}
	var id uuid.UUID
	if err := Read(token, list, &id); err != nil {
		return nil, err
	}
	return &id, nil
}

// Cut removes the rows beyond a page. Next is the token of the page's last row; it is empty on the last page. To know
// that there are more rows, a statement reads limit + 1.
func Cut[Row any](rows []Row, limit int, token func(Row) string) (page []Row, next string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], token(rows[limit-1])
}

func errInvalid() error {
	return problem.New(problem.InvalidCursor,
		"The page token does not belong to this list in this order. Take it from the page before or after.")
}

func appendText(raw []byte, text string) []byte {
	return append(binary.AppendUvarint(raw, uint64(len(text))), text...)
}

// reader consumes a token's bytes. After a failure it returns zero values.
type reader struct {
	rest []byte
	ok   bool
}

func (r *reader) next(n int) []byte {
	if !r.ok || n < 0 || n > len(r.rest) {
		r.ok = false
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) integer() int64 {
	raw := r.next(8)
	if raw == nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(raw))
}

func (r *reader) text() string {
	length, n := binary.Uvarint(r.rest)
	if n <= 0 || length > uint64(len(r.rest)-n) {
		r.ok = false
		return ""
	}
	r.rest = r.rest[n:]
	return string(r.next(int(length)))
}
