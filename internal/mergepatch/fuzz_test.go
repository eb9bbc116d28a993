package mergepatch

import (
	"reflect"
	"testing"

	"itemcast/internal/strictjson"
)

// merge works on bytes. It agrees with the RFC's function on decoded values.
func FuzzMerge(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a":{"b":1.50,"c":[1]},"d":null}`, `{"a":{"b":null,"e":{"f":null}},"d":2}`},
		{`[1]`, `{"a":{"b":null}}`}, {`{"a":"x"}`, `{"a":{"b":1}}`}, {`{"a":1}`, `[null]`}, {`null`, `{}`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, target, patch []byte) {
		targetValue, targetErr := strictjson.Parse(target, strictjson.Limits{})
		patchValue, patchErr := strictjson.Parse(patch, strictjson.Limits{})
		if targetErr != nil || patchErr != nil {
			t.Skip()
		}
		merged, err := merge(target, patch)
		if err != nil {
			t.Fatal(err)
		}
		got, invalid := strictjson.Parse(merged, strictjson.Limits{})
		if want := mergeValues(targetValue, patchValue); invalid != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s with %s: got %s, %v; want %v", target, patch, merged, invalid, want)
		}
	})
}

// mergeValues is the pseudocode of RFC 7396 §2.
func mergeValues(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged, ok := target.(map[string]any)
	if !ok {
		merged = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = mergeValues(merged[name], value)
		}
	}
	return merged
}
