package item

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"itemcast/internal/plainjson"
)

// rendererVersion identifies the representation. Raise it with every change to it, such as a new field.
const rendererVersion = 3

// wordsVersion identifies the words that the search stores. Raise it with every change to what words returns.
const wordsVersion = 1

// Document is an item as every exit sends it, and its revision.
type Document struct {
	Bytes     []byte
	Revision  int64
	Rendering int32 // 0: the first rendering of the revision; else a number of its own
}

// rerendered returns the number of a rendering that replaces a stale one of the same revision. It is the renderer's
// version, or the next number if the bytes change for another reason, such as another public URL. If the bytes stay the
// same, the number does.
func rerendered(stored int32, old, document []byte) int32 {
	if bytes.Equal(old, document) {
		return stored
	}
	return max(rendererVersion, stored+1)
}

// Encode is the only encoder of items. It writes compact JSON with the fields in declared order and without a trailing
// newline; package plainjson says how text and times are written. So that the bytes stay the same in an envelope, it
// must be encoded by plainjson too.
func Encode(i *Item) ([]byte, error) {
	normalize(&i.CreatedAt)
	normalize(&i.UpdatedAt)
	if i.PublishedAt != nil {
		normalize(i.PublishedAt)
	}
	document, err := plainjson.Marshal(i)
	if err != nil {
		return nil, fmt.Errorf("encode item: %w", err)
	}
	return document, nil
}

// normalize makes a time UTC, and drops what Postgres does not store: fractions of a microsecond.
func normalize(t *time.Time) { *t = t.UTC().Truncate(time.Microsecond) }

// trusted makes Decode skip checks that documents from Encode do not need. A document of 1 kB takes 3.9 µs; with
// encoding/json, it takes 10 µs.
var trusted = jsonv2.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Decode reads a document that Encode wrote.
func Decode(document []byte) (*Item, error) {
	var i Item
	if err := jsonv2.Unmarshal(document, &i, trusted); err != nil {
		return nil, fmt.Errorf("decode item: %w", err)
	}
	return &i, nil
}

// documentVersion identifies the renderer, the words of the search, and the base of the URLs, on which a document
// depends beside its row.
func documentVersion(publicURL string) int32 {
	return int32(crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %d %s", rendererVersion, wordsVersion, publicURL)))
}
