package graph_test

import (
	"encoding/json"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A block string loses the common indentation of its lines but the first, in arguments and in JSON literals.
func TestBlockString_HasTheValueOfTheSpecification(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for text, want := range map[string]string{
		"one line":                       "one line",
		"first\n    second\n      third": "first\nsecond\n  third",
		"\n    first\n      second\n":    "first\n  second",
		"  first\n\tsecond\n\tthird\n  ": "  first\nsecond\nthird",
		"a\r\n  b\r  c\n\n":              "a\nb\nc",
		`says \"""quoted\"""` + "\n  b":  `says """quoted"""` + "\nb",
		`back\slash \n`:                  `back\slash \n`,
		"ends with \"":                   "ends with \"",
		"":                               "",
		" \n \n":                         "",
		"é 😀\n  ü":                       "é 😀\nü",
	} {
		block := `"""` + text + `"""`
		query := `mutation { createItem(input: {name: "é😀", description: ` + block + `, clientData: {s: ` + block + `}}) { item { description clientData } } }`
		var got struct {
			CreateItem struct {
				Item struct {
					Description string
					ClientData  struct{ S string }
				}
			}
		}
		if err := json.Unmarshal(n.GraphQL(query, nil), &got); err != nil {
			t.Fatal(err)
		}
		if item := got.CreateItem.Item; item.Description != want || item.ClientData.S != want {
			t.Errorf("%q: got %q and %q, want %q", text, item.Description, item.ClientData.S, want)
		}
	}
}
