package page

import (
	"crypto/sha256"
	"encoding/binary"

	"itemcast/internal/problem"
)

// maxText is the length, in bytes, up to which a token holds a text itself.
const maxText = 640

// digestSize is the length of a digest, in bytes. Texts of one row must not have the same by chance; nothing depends on
// whether somebody can make two that have.
const digestSize = 16

// Text is a text of a token's key.
type Text struct {
	Whole  string // the text, unless it is long
	digest []byte // of a long text
}

// IsLong reports whether the token has only the digest of the text.
func (t Text) IsLong() bool { return t.digest != nil }

// Is reports whether the token was made with this text.
func (t Text) Is(text string) bool {
	if t.IsLong() {
		return len(text) > maxText && string(digest(text)) == string(t.digest)
	}
	return text == t.Whole
}

// ErrForgotten is the error for a token with the digest of a long text that neither the row nor the log has any more.
func ErrForgotten() error {
	return problem.New(problem.InvalidPageToken,
		"The page token is too old: its row was renamed or deleted. Read the list again from its first page.")
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:digestSize]
}

func appendText(raw []byte, text string) []byte {
	return append(binary.AppendUvarint(raw, uint64(len(text))), text...)
}

// appendKeyText appends a text, or a length that no text has and the digest.
func appendKeyText(raw []byte, text string) []byte {
	if len(text) <= maxText {
		return appendText(raw, text)
	}
	return append(binary.AppendUvarint(raw, maxText+1), digest(text)...)
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

func (r *reader) text() string { return string(r.next(r.length())) }

func (r *reader) keyText() Text {
	length := r.length()
	if length == maxText+1 {
		return Text{digest: r.next(digestSize)}
	}
	r.ok = r.ok && length <= maxText
	return Text{Whole: string(r.next(length))}
}

func (r *reader) length() int {
	length, n := binary.Uvarint(r.rest)
	if !r.ok || n <= 0 || length > MaxLength {
		r.ok = false
		return 0
	}
	r.rest = r.rest[n:]
	return int(length)
}
