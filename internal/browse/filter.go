package browse

import (
	"net/url"
	"slices"
	"strings"
)

// input is a field as a form shows it.
type input struct {
	*field
	Kind   string // in which its value can be shown
	Values []string
	Pairs  []pair
	Error  string
	Denied bool // to this user: it is shown, and not sent
}

type pair struct{ Key, Value string }

// Value is that of a field that has one.
func (in *input) Value() string { return strings.Join(in.Values, "\n") }

// Has reports whether a choice is made.
func (in *input) Has(choice string) bool { return slices.Contains(in.Values, choice) }

// Lines is how many an editor shows.
func (in *input) Lines() int { return min(max(strings.Count(in.Value(), "\n")+1, 3), 16) }

// filterForm is the query's parameters.
type filterForm struct {
	Open   bool     // something in it is wrong
	Given  []string // as name=value
	Inputs []input
}

// positions are the parameters that a list's own links carry (design §2): another filter begins on the first page.
var positions = []string{"after", "before"}

func newFilter(op *operation, given url.Values, told *problemView) *filterForm {
	if len(op.filter) == 0 {
		return nil
	}
	form := &filterForm{}
	for i := range op.filter {
		f := &op.filter[i]
		in := input{field: f, Kind: f.Kind}
		switch {
		case f.Kind == kindPairs:
			for _, name := range sortedKeys(given) {
				if key, ok := strings.CutPrefix(name, f.Prefix); ok && key != "" {
					in.Pairs = append(in.Pairs, pair{key, given.Get(name)})
				}
			}
			in.Pairs = append(in.Pairs, pair{})
		case slices.Contains(positions, f.Name):
		case f.Kind == kindTime:
			value, ok := local(given.Get(f.Name))
			if in.Values = []string{value}; !ok {
				in.Kind = kindText // to be shown as it is, with what is wrong with it
			}
		case f.Kind == kindChecks && !f.explode:
			in.Values = strings.Split(strings.Join(given[f.Name], ","), ",")
		case f.Kind == kindCommas:
			in.Values = []string{strings.Join(given[f.Name], ",")}
		default:
			in.Values = given[f.Name]
		}
		in.Error = told.of(f)
		form.Open = form.Open || in.Error != ""
		form.Inputs = append(form.Inputs, in)
	}
	for _, name := range sortedKeys(given) {
		if value := strings.Join(given[name], ","); value != "" && !slices.Contains(positions, name) {
			form.Given = append(form.Given, short(name+"="+value))
		}
	}
	return form
}

func sortedKeys(values url.Values) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
