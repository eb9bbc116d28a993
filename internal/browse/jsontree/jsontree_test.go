package jsontree_test

import (
	"strings"
	"testing"

	"itemcast/internal/browse/jsontree"
)

func TestEncode_ParsedTextRetainsItsOrderAndItsDigits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"b":1,"a":{"d":[true,null],"c":"<é>"}}`: `{"b":1,"a":{"d":[true,null],"c":"<é>"}}`,
		"{ \"a\" : [ 1.50e+3 ,\n-0 ] }":           `{"a":[1.50e+3,-0]}`,
		`12345678901234567890.50`:                 `12345678901234567890.50`,
		`{"a":1,"b":2,"a":3}`:                     `{"a":3,"b":2}`,
		`"\u003c\/"`:                              `"</"`,
	} {
		value, err := jsontree.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := jsontree.Encode(value); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func TestParse_StatesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                         "the text ends too early",
		`{"a":`:                    "the text ends too early",
		`1 2`:                      "more text follows the value",
		`{"a" 1}`:                  "invalid character",
		strings.Repeat("[", 1<<20): "nested deeper than 64 levels",
	} {
		if _, err := jsontree.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: got %v, want %s", text, err, want)
		}
	}
}

func TestObject_NilHasNoMembers(t *testing.T) {
	t.Parallel()
	var o *jsontree.Object
	if o.Has("a") || o.Get("a") != nil || o.Object("a") != nil || o.List("a") != nil || o.Text("a") != "" ||
		o.Texts("a") != nil || o.IsTrue("a") || o.Names() != nil {
		t.Error("nil has a member")
	}
}
