package importfile

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"unicode/utf8"

	"itemcast/internal/problem"
)

// separators are those of tables, the most usual first.
var separators = []rune{',', ';', '\t', '|'}

// namedSeparator reads a first line such as "sep=;", which is skipped. It returns 0 without one.
func namedSeparator(head []byte) (separator rune, skipped int) {
	line, _, found := bytes.Cut(head, []byte("\n"))
	value, named := strings.CutPrefix(strings.ToLower(strings.Trim(string(line), "\"\r")), "sep=")
	if !found || !named || utf8.RuneCountInString(value) != 1 {
		return 0, 0
	}
	separator, _ = utf8.DecodeRuneInString(value)
	return separator, len(line) + 1
}

// findHeader reads the header with the separator that makes a column "name" of it; nil if none does.
func findHeader(head []byte, given rune, options *Options, utf16 bool) (header []column, separator rune) {
	text := head
	if utf16 { // a row with half a character is rejected alone
		text, _, _ = bytes.Cut(head, []byte("\n"))
	}
	if bytes.IndexByte(text, 0) >= 0 || !isUTF8(text) {
		return nil, 0
	}
	try := separators
	if given != 0 {
		try = []rune{given}
	}
	for _, s := range try {
		reader := csv.NewReader(bytes.NewReader(head))
		reader.Comma, reader.FieldsPerRecord, reader.TrimLeadingSpace = s, -1, s != '\t'
		names, err := reader.Read()
		if err != nil || len(names) <= len(header) {
			continue
		}
		columns := make([]column, len(names))
		for i, name := range names {
			columns[i] = options.column(name)
		}
		if slices.ContainsFunc(columns, func(c column) bool { return c.field == "name" }) {
			header, separator = columns, s
		}
	}
	return header, separator
}

// isUTF8 reports whether a text is UTF-8, up to a last character that may be cut off.
func isUTF8(text []byte) bool {
	for range utf8.UTFMax - 1 {
		if utf8.Valid(text) {
			return true
		}
		if len(text) > 0 {
			text = text[:len(text)-1]
		}
	}
	return utf8.Valid(text)
}

// headerFault refuses two columns with one meaning, as one would be lost.
func headerFault(header []column) error {
	for i, c := range header {
		first := slices.IndexFunc(header, func(other column) bool { return other.target() == c.target() })
		if first < i && c.target() != "" {
			return problem.New(problem.BadRequest, "Columns %d (%q) and %d (%q) of the header name the same field. "+
				"Rename one of them.", first+1, header[first].header, i+1, c.header)
		}
	}
	return nil
}
