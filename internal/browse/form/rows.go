package form

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"itemcast/internal/browse/jsontree"
	"itemcast/internal/browse/spec"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

const (
	// maxRows bounds the arrays that are shown as rows. A longer one is edited as JSON.
	maxRows = 50
	// spareRows is how many empty rows follow those of the array. A form needs no script for that, and one that was sent
	// offers as many again.
	spareRows = 5

	// rowsSent is the value of a control that a form has if it shows the array as rows.
	rowsSent = "rows"
	// removeName ends the name of the control that removes a row.
	removeName = "_remove"
)

// Row is an object of an array, with a field for each member.
type Row struct {
	Number  int    // from 1
	Title   string // what tells it from others; "" for an empty row
	Open    bool   // shown unfolded
	Inputs  []Input
	Remove  string // the name of the control that removes it; "" for an empty row
	Removed bool
}

// isRows reports whether people edit an array object by object.
func isRows(s *spec.Schema) bool {
	return s.Is("array") && s.Items != nil && s.Items.Is("object") && len(s.Items.Properties) > 0
}

// withMembers gives a field of the kind rows the fields of an object. Arrays of objects in objects are edited as JSON.
func (f Field) withMembers(document *spec.Document, s *spec.Schema) Field {
	if f.Kind != kindRows {
		return f
	}
	for _, p := range s.Items.Properties {
		member := newField(p.Name, p.Required, "", p.Schema).withList(document, p.Schema)
		if isRows(p.Schema) {
			member.Kind = kindJSON
		}
		f.members = append(f.members, member)
	}
	return f
}

// elements returns the objects of an array; false if rows would not show all of it.
func (f *Field) elements(value json.RawMessage) ([]Record, bool) {
	if isNull(value) {
		return nil, true
	}
	all, ok := decode[[]Record](value)
	if !ok || len(all) > maxRows {
		return nil, false
	}
	for _, element := range all {
		if element == nil {
			return nil, false
		}
		for name := range element {
			if !slices.ContainsFunc(f.members, func(m Field) bool { return m.Name == name }) {
				return nil, false
			}
		}
	}
	return all, true
}

// inRow returns the field of a member in a row. at is the row's index in the array that the form stands for; -1 for a
// row that is not part of it.
func (f *Field) inRow(m *Field, row, at int) Field {
	own := *m
	own.Control, own.ID = f.rowControl(row, m.Name), f.ID+"."+strconv.Itoa(row)+"."+m.Name
	if own.pointer = ""; at >= 0 {
		own.pointer = f.pointer + "/" + strconv.Itoa(at) + "/" + escapePointer.Replace(m.Name)
	}
	return own
}

func (f *Field) rowControl(row int, name string) string {
	return f.Control + "." + strconv.Itoa(row) + "." + name
}

// rowsIn returns the numbers of the rows that a form has, in their order.
func (f *Field) rowsIn(values url.Values) []int {
	var rows []int
	for name := range values {
		rest, below := strings.CutPrefix(name, f.Control+".")
		text, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(text); below && err == nil && n >= 0 && n < maxRows+spareRows && !slices.Contains(rows, n) {
			rows = append(rows, n)
		}
	}
	slices.Sort(rows)
	return rows
}

// isRemoved reports whether a row is to be removed.
func (f *Field) isRemoved(row int, values url.Values) bool {
	return values.Get(f.rowControl(row, removeName)) != ""
}

// isBlank reports whether nothing is typed in a row.
func (f *Field) isBlank(row int, values url.Values) bool {
	return !slices.ContainsFunc(f.members, func(m Field) bool {
		return strings.TrimSpace(joinLines(values[f.rowControl(row, m.Name)])) != ""
	})
}

// rowsAreUnchanged reports whether a form has the rows that it was filled with.
func (f *Field) rowsAreUnchanged(old json.RawMessage, values url.Values) bool {
	olds, _ := f.elements(old)
	for _, row := range f.rowsIn(values) {
		switch {
		case f.isRemoved(row, values):
			return false
		case row >= len(olds) && !f.isBlank(row, values):
			return false
		case row >= len(olds):
			continue
		}
		for i := range f.members {
			m := f.inRow(&f.members[i], row, row)
			if m.isSent(values) && !m.isUnchanged(olds[row][m.Name], values[m.Control]) {
				return false
			}
		}
	}
	return true
}

// rowsValue returns the rows of a form as JSON; nil for none. Empty rows are left out, and so are members that the user
// emptied. A member that the user did not change has its old value.
func (f *Field) rowsValue(old json.RawMessage, values url.Values) (json.RawMessage, []problem.Fault) {
	olds, _ := f.elements(old)
	var objects []any
	var faults []problem.Fault
	for _, row := range f.rowsIn(values) {
		if f.isRemoved(row, values) || f.isBlank(row, values) {
			continue
		}
		var was Record
		if row < len(olds) {
			was = olds[row]
		}
		object := jsontree.New()
		for i := range f.members {
			m := f.inRow(&f.members[i], row, len(objects))
			if before := was[m.Name]; !m.isSent(values) || m.isUnchanged(before, values[m.Control]) {
				if len(before) > 0 {
					object.Set(m.Name, before)
				}
				continue
			}
			value, err := m.value(m.kindFor(was[m.Name]), values[m.Control])
			if err != nil {
				pointer := strictjson.Pointer(f.Name, strconv.Itoa(len(objects)), m.Name)
				faults = append(faults, problem.Fault{Pointer: pointer, Detail: err.Error()})
			} else if len(value) > 0 {
				object.Set(m.Name, value)
			}
		}
		objects = append(objects, object)
	}
	if len(objects) == 0 {
		return nil, faults
	}
	return json.RawMessage(jsontree.Encode(objects)), faults
}

// rows returns the rows that a page shows: those that the user sent, or else those of the stored array, and empty ones.
func (f *Field) rows(old json.RawMessage, with Filling) []Row {
	olds, _ := f.elements(old)
	var numbers []int
	if len(with.sent[f.Control]) == 0 {
		with.sent = nil
		for row := range olds {
			numbers = append(numbers, row)
		}
	} else {
		for _, row := range f.rowsIn(with.sent) {
			if !f.isBlank(row, with.sent) {
				numbers = append(numbers, row)
			}
		}
	}
	var rows []Row
	at, next := 0, 0
	for _, row := range numbers {
		shown := f.row(row, at, olds, with)
		shown.Open = len(numbers) == 1 || slices.ContainsFunc(shown.Inputs, func(in Input) bool { return in.Error != "" })
		shown.Remove = f.rowControl(row, removeName)
		shown.Removed = with.sent != nil && f.isRemoved(row, with.sent)
		if next = row + 1; !shown.Removed {
			at++
		}
		rows = append(rows, shown)
	}
	with.sent = nil
	for row := next; row < next+spareRows; row++ {
		shown := f.row(row, -1, nil, with)
		shown.Open = row == next
		rows = append(rows, shown)
	}
	for i := range rows {
		rows[i].Number = i + 1
	}
	return rows
}

func (f *Field) row(row, at int, olds []Record, with Filling) Row {
	var was Record
	if row < len(olds) {
		was = olds[row]
	}
	var shown Row
	var title []string
	for i := range f.members {
		m := f.inRow(&f.members[i], row, at)
		in := m.input(was[m.Name], with)
		text := strings.TrimSpace(in.Value())
		if text != "" && len(title) < 3 && (m.Kind == kindText || m.Kind == kindChoice) {
			title = append(title, Shorten(text))
		}
		shown.Inputs = append(shown.Inputs, in)
	}
	shown.Title = strings.Join(title, " · ")
	return shown
}
