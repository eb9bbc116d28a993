// Package page divides lists into pages by keyset: a page token contains the key of a row, and the next page starts
// after that row. Rows that are inserted or deleted in the meantime never make a page repeat or omit others, and page
// 1,000 costs as much as page 1.
//
// A token is opaque to clients: base64url of the list's name and the key. It is valid only for its list and order. The
// package must not know what a list contains.
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

// Token returns the page token of a row in the list. The key's values are of type uuid.UUID, int64, string or
// time.Time; it panics for others. Times have the precision of Postgres, a microsecond.
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

// Read reads a token of the list into pointers to the key's values. Postgres accepts the values as parameters: an int64
// is positive, a time is in the years 1 to 9999, and a string is UTF-8 without U+0000. Error:
// INVALID_PAGE_TOKEN.
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

// ReadID reads a token of a list whose key is an id. It returns nil for "", the start of the list. Error:
// INVALID_PAGE_TOKEN.
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

// Cut returns the first limit rows, and the token of the following page; next is "" if there are no more rows. A
// statement must read limit + 1 rows to show that there are more.
func Cut[Row any](rows []Row, limit int, token func(Row) string) (page []Row, next string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], token(rows[limit-1])
}

func errInvalid() error {
	return problem.New(problem.InvalidPageToken,
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
