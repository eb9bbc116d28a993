package importfile

import (
	"bytes"
	"encoding/json"
	"strings"

	"itemcast/internal/plaintext"
)

// Cell is how a column's cells become JSON.
type Cell int

// The kinds of cells.
const (
	Text   Cell = iota
	Word        // one of a few words, in lower case
	Number      // a number
	List        // a JSON array, or texts with a separator between them
	JSON        // any JSON
)

// column is a column of a table: a field, or a key of the metadata. An unnamed one is neither.
type column struct {
	header string // as in the header
	field  string
	key    string // of the metadata
	kind   Cell
}

// target is the place that the column sets.
func (c column) target() string {
	if c.key != "" {
		return "metadata." + c.key
	}
	return c.field
}

// column returns the column of a header. The header "Player URL" names the field player_url. A header that names no
// field, or begins with "metadata.", names a key of the metadata.
func (o *Options) column(header string) column {
	header = plaintext.Composed(strings.TrimSpace(header))
	if prefix := "metadata."; len(header) > len(prefix) && strings.EqualFold(header[:len(prefix)], prefix) {
		return column{header: header, key: header[len(prefix):]}
	}
	field := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(header))
	if kind, ok := o.Columns[field]; ok {
		return column{header: header, field: field, kind: kind}
	}
	return column{header: header, key: header}
}

// object returns a row as a JSON object. Cells lose the white space around them. Empty fields are left out. Values of
// the metadata are strings; null if they are empty.
func (t *table) object(record []string) []byte {
	var fields, metadata bytes.Buffer
	for i, cell := range record[:min(len(record), len(t.columns))] {
		c := t.columns[i]
		cell = strings.TrimSpace(cell)
		switch {
		case c.key != "" && cell == "":
			member(&metadata, c.key, []byte("null"))
		case c.key != "":
			member(&metadata, c.key, encode(cell))
		case cell != "":
			member(&fields, c.field, t.cells.value(c.kind, cell))
		}
	}
	if metadata.Len() > 0 {
		member(&fields, "metadata", append(append([]byte("{"), metadata.Bytes()...), '}'))
	}
	return append(append([]byte("{"), fields.Bytes()...), '}')
}

// value returns a cell as JSON. A cell that is not of its kind becomes a string, which the check of the entry refuses.
func (o *Options) value(kind Cell, cell string) []byte {
	switch {
	case kind == Word:
		return encode(strings.ToLower(cell))
	case (kind == Number || kind == JSON || kind == List && cell[0] == '[') && json.Valid([]byte(cell)):
		return []byte(cell)
	case kind == List:
		return o.list(cell)
	}
	return encode(cell)
}

func (o *Options) list(cell string) []byte {
	separator := o.TagSeparator
	if separator == "" {
		separator = ","
	}
	values := []string{}
	for value := range strings.SplitSeq(cell, separator) {
		if value = strings.TrimSpace(value); !plaintext.IsBlank(value) {
			values = append(values, value)
		}
	}
	return encode(values)
}

func member(object *bytes.Buffer, name string, value []byte) {
	if object.Len() > 0 {
		object.WriteByte(',')
	}
	object.Write(encode(name))
	object.WriteByte(':')
	object.Write(value)
}

// encode encodes a text or a list of texts.
func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // texts can always be encoded
	}
	return raw
}
