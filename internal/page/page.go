// Package page divides lists into pages by keyset: a page token contains the key of a row, and the next page starts
// after that row. Rows that are inserted or deleted in the meantime never make a page repeat or omit others, and page
// 1,000 costs as much as page 1.
//
// A token is opaque to clients: base64url of the list's name and the key. It is valid only for its list and order.
//
// It promises:
//
//   - A token has at most [MaxLength] characters, whatever the key's values are. The contract takes as many.
//   - Each value that Read returns is exactly the one that Token got, or a [Text] that has only the digest of a text of
//     more than 640 bytes. The list must then find the text by the rest of the key, for example by the row's id, even
//     when the row has changed or is gone; [Text.Is] recognizes it. If nothing has that text any more, the list refuses
//     the token by [ErrForgotten]. It never guesses a place, because a page would then repeat or omit rows.
//
// The package must not know what a list contains.
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

// MaxLength is the number of characters that a token has at most. It leaves room for a list's name of 60 bytes, one
// text and three other values.
const MaxLength = 1000

// Token returns the page token of a row in the list. The key's values are of type uuid.UUID, int64, string or
// time.Time; it panics for others, and for a key that does not fit. Times have the precision of Postgres, a
// microsecond.
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
			raw = appendKeyText(raw, value)
		default:
			panic(fmt.Sprintf("page: a key cannot hold a %T", value))
		}
	}
	token := encoding.EncodeToString(raw)
	if len(token) > MaxLength {
		panic(fmt.Sprintf("page: a token of %s has %d characters", list, len(token)))
	}
	return token
}

// Read reads a token of the list into pointers to the key's values; a string is read into a [Text]. Postgres accepts
// the values as parameters: an int64 is positive, a time is in the years 1 to 9999, and a text is UTF-8 without U+0000.
// Error: INVALID_PAGE_TOKEN.
func Read(token, list string, key ...any) error {
	raw, err := encoding.DecodeString(token)
	if err != nil {
		return ErrInvalid()
	}
	r := reader{rest: raw, ok: true}
	if r.text() != list {
		return ErrInvalid()
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
		case *Text:
			*value = r.keyText()
			r.ok = r.ok && utf8.ValidString(value.Whole) && !strings.ContainsRune(value.Whole, 0)
		default:
			panic(fmt.Sprintf("page: a key cannot hold a %T", value))
		}
	}
	if !r.ok || len(r.rest) > 0 {
		return ErrInvalid()
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

// ErrInvalid is the error for a token that no list has made.
func ErrInvalid() error {
	return problem.New(problem.InvalidPageToken,
		"The page token does not belong to this list in this order. Take it from the page before or after.")
}
