package importfile

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/transform"

	"itemcast/internal/problem"
)

// notText is a byte that is nowhere in UTF-8, so that the entry with it is refused.
const notText = 0xff

func hasHalf(text []byte) bool { return bytes.IndexByte(text, notText) >= 0 }

// errHalf refuses an entry of UTF-16 that has notText.
func errHalf(what string) *problem.Error {
	return problem.New(problem.BadRequest, "%s has half a character of UTF-16. Mend the text, and save the file as UTF-8.",
		what)
}

// utf16Decoder decodes UTF-16 of an order. The decoder of golang.org/x/text replaces lone surrogates and a last odd
// byte by U+FFFD, which would store another text than the file has; this one writes notText.
type utf16Decoder struct {
	transform.NopResetter
	order binary.ByteOrder
}

// utf16Order returns the order that a byte order mark names.
func utf16Order(head []byte) binary.ByteOrder {
	if head[0] == 0xfe {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (d utf16Decoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		r, size := d.next(src[nSrc:], atEOF)
		switch {
		case size == 0:
			return nDst, nSrc, transform.ErrShortSrc
		case len(dst)-nDst < utf8.UTFMax:
			return nDst, nSrc, transform.ErrShortDst
		case r < 0:
			dst[nDst] = notText
			nDst++
		default:
			nDst += utf8.EncodeRune(dst[nDst:], r)
		}
		nSrc += size
	}
	return nDst, nSrc, nil
}

// next returns the first character and the number of its bytes: -1 for bytes that are none, and size 0 if more bytes
// decide.
func (d utf16Decoder) next(src []byte, atEOF bool) (r rune, size int) {
	if len(src) < 2 {
		if atEOF {
			return -1, len(src)
		}
		return 0, 0
	}
	r = rune(d.order.Uint16(src))
	switch {
	case !utf16.IsSurrogate(r):
		return r, 2
	case len(src) < 4 && !atEOF:
		return 0, 0
	case len(src) < 4:
		return -1, 2
	}
	if r = utf16.DecodeRune(r, rune(d.order.Uint16(src[2:]))); r == utf8.RuneError {
		return -1, 2
	}
	return r, 4
}
