package form

import (
	"slices"
	"strings"
)

// Input is a field with the values that a page shows.
type Input struct {
	*Field
	Kind   string // of the control; it may differ from the field's
	Values []string
	Pairs  []Pair // of kindPairs
	Rows   []Row  // of kindRows
	Error  string
	Denied bool // shown, but disabled: the user lacks the field's permission
}

// Pair is a name below a prefix, and its value.
type Pair struct{ Key, Value string }

// Value is the value of a control that has one.
func (in *Input) Value() string { return strings.Join(in.Values, "\n") }

// Has reports whether a choice is selected.
func (in *Input) Has(choice string) bool { return slices.Contains(in.Values, choice) }

// Lines is the height of a text area.
func (in *Input) Lines() int { return height(in.Value(), 1, 3, 16) }

// height returns the number of a text's lines and some spare ones, within bounds.
func height(text string, spare, minimum, maximum int) int {
	return min(max(strings.Count(text, "\n")+spare, minimum), maximum)
}
