package form

import "testing"

func TestField_TextThatIsNoJSONIsRefusedWithAnExample(t *testing.T) {
	t.Parallel()
	f := Field{Kind: kindJSON, Example: `{"tags": ["text"]}`}
	for text, want := range map[string]string{
		"tags=public": `must be JSON, such as {"tags": ["text"]}`, `{"a":`: `must be JSON, such as {"tags": ["text"]}`,
	} {
		if _, err := f.value(kindJSON, []string{text}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := f.value(kindJSON, []string{`{"tags":["public"]}`}); err != nil {
		t.Error(err)
	}
}
