package item

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"itemcast/internal/importfile"
	"itemcast/internal/plaintext"
	"itemcast/internal/validate"
)

// maxSurveyed bounds the memory of a survey, far above the number of fields that an account can have.
const maxSurveyed = 10_000

// survey holds the kinds of the values that an import has for each key of the metadata, as far as it has been read.
type survey struct {
	cells bool // the values are cells of a table
	kinds map[string]kinds
}

// kinds is a set of kinds of values.
type kinds uint8

const (
	hasText kinds = 1 << iota
	hasNumber
	hasBool
	hasDate
)

func newSurvey(cells bool) *survey { return &survey{cells: cells, kinds: map[string]kinds{}} }

// add adds the values of an entry. It ignores entries that cannot be decoded; importing them reports why.
func (s *survey) add(entry importfile.Entry) {
	if !bytes.Contains(entry.Text, []byte(`"metadata"`)) {
		return
	}
	var values struct{ Metadata json.RawMessage }
	if json.Unmarshal(entry.Text, &values) != nil {
		return
	}
	metadata, err := decodeObject(values.Metadata)
	if err != nil {
		return
	}
	for key, value := range metadata {
		key = plaintext.Composed(key)
		kind := s.kindsOf(value)
		if _, known := s.kinds[key]; kind != 0 && (known || len(s.kinds) < maxSurveyed) {
			s.kinds[key] |= kind
		}
	}
}

func (s *survey) kindsOf(value any) kinds {
	switch value := value.(type) {
	case json.Number:
		return hasNumber
	case bool:
		return hasBool
	case string:
		if s.cells {
			if typed := cellValue(value); typed != value {
				return s.kindsOf(typed)
			}
		}
		if isDate(value) {
			return hasDate
		}
		return hasText
	}
	return 0
}

// has reports whether the import has values for a key.
func (s *survey) has(key string) bool { return s != nil && s.kinds[key] != 0 }

// kind returns the kind of field that accepts all values of a key: text if they are of several kinds.
func (s *survey) kind(key string) string {
	switch s.kinds[key] {
	case hasNumber:
		return "number"
	case hasBool:
		return "bool"
	case hasDate:
		return "date"
	}
	return "text"
}

// cellValue returns the number or the bool that a cell shows, else the cell. A number with a leading zero or plus is
// an identifier, such as a postcode.
func cellValue(cell string) any {
	switch strings.ToLower(cell) {
	case "true":
		return true
	case "false":
		return false
	}
	if c := cell[:min(len(cell), 2)]; c != "" && (c[0] == '-' || '0' <= c[0] && c[0] <= '9') && json.Valid([]byte(cell)) {
		if _, ok := plainDecimal(cell); ok {
			return json.Number(cell)
		}
	}
	return cell
}

func isDateValue(value any) bool {
	text, ok := value.(string)
	return ok && isDate(text)
}

func isDate(text string) bool {
	day, err := time.Parse(time.DateOnly, text)
	return err == nil && validate.Time(day) == ""
}
