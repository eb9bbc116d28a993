package strictjson_test

import (
	"strings"
	"testing"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

func TestCheck_ReportsEveryFaultAndItsPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, code, places, detail string }{
		"good":               {`{"a":[1,2.5,-3e10,"x",true,null,{}]}`, "", "", ""},
		"surrogate pair":     {`"\ud83d\ude00"`, "", "", ""},
		"smallest double":    {`[5e-324, 1.7976931348623157e308, 0.0, 0e0, -0]`, "", "", ""},
		"zero, far down":     {`0e-999999999`, "", "", ""},
		"empty":              {``, "INVALID_JSON", "", "empty"},
		"white space":        {" \n", "INVALID_JSON", "", "empty"},
		"cut off":            {`{"a":[1,`, "INVALID_JSON", "#/a", "unexpected end at byte 8."},
		"bare word":          {`{"a":yes}`, "INVALID_JSON", "#/a", "syntax error at byte 5."},
		"trailing comma":     {`[1,]`, "INVALID_JSON", "#", "byte 2"},
		"trailing value":     {`{} {}`, "INVALID_JSON", "#", "after the value at byte 2."},
		"trailing bracket":   {`{}]`, "INVALID_JSON", "#", "byte 2"},
		"duplicate":          {`{"a":{"b":1,"b":2}}`, "INVALID_JSON", "#/a/b", "duplicate name"},
		"duplicate escaped":  {`{"b":1,"\u0062":2}`, "INVALID_JSON", "#/b", "duplicate name"},
		"invalid UTF-8":      {"{\"a\":\"\xff\"}", "INVALID_JSON", "#/a", "UTF-8"},
		"lone surrogate":     {`{"a":"\ud800"}`, "INVALID_JSON", "#/a", "surrogate"},
		"lone low surrogate": {`"\udc00x"`, "INVALID_JSON", "#", "surrogate"},
		"control character":  {"\"\n\"", "INVALID_JSON", "#", "byte 1"},
		"byte order mark":    {"\ufeff{}", "INVALID_JSON", "#", "byte 0"},
		"comment":            {`{} // hm`, "INVALID_JSON", "#", "byte 3"},
		"leading zero":       {`01`, "INVALID_JSON", "#", "byte 1"},
		"NaN":                {`[NaN]`, "INVALID_JSON", "#/0", "byte 1"},
		"NUL":                {`{"a":"x\u0000y","b\u0000":[1,"\u0000"]}`, "INVALID_INPUT", "#/a #/b%00 #/b%00/1", ""},
		"numbers":            {`[1e309,-1e400,1e-400,1e999999999,1e-999999999]`, "INVALID_INPUT", "#/0 #/1 #/2 #/3 #/4", ""},
		"long number":        {`{"n":` + strings.Repeat("1", 65) + `}`, "INVALID_INPUT", "#/n", ""},
		"deep":               {strings.Repeat("[", 33) + strings.Repeat("]", 33), "INVALID_INPUT", "#" + strings.Repeat("/0", 32), ""},
		"not too deep":       {strings.Repeat("[", 32) + strings.Repeat("]", 32), "", "", ""},
		"deep and invalid":   {strings.Repeat("[", 40), "INVALID_JSON", "", ""},
		"far too deep":       {strings.Repeat("[", 100_000), "INVALID_JSON", "", ""},
		"many":               {"[" + strings.Repeat("0,", 200_000) + "0]", "INVALID_INPUT", "", ""},
		"escaped names":      {`{"a/b~c d\"é":"\u0000"}`, "INVALID_INPUT", "#/a~1b~0c%20d%22%C3%A9", ""},
		"an endless name":    {`{"a":{"` + strings.Repeat("x", 1000) + `":"\u0000"}}`, "INVALID_INPUT", "#/a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := strictjson.Check([]byte(c.in), strictjson.Limits{})
			if err == nil {
				if c.code != "" {
					t.Fatal("got no error")
				}
				return
			}
			var places []string
			for _, fault := range err.Faults {
				places = append(places, fault.Pointer)
			}
			if string(err.Code) != c.code || !strings.Contains(err.Detail, c.detail) ||
				c.places != "" && strings.Join(places, " ") != c.places {
				t.Errorf("got %v at %v, want %s at %s with %q", err, places, c.code, c.places, c.detail)
			}
		})
	}
}

func TestCheck_ReportsAtMostAHundredFaults(t *testing.T) {
	t.Parallel()
	err := strictjson.Check([]byte("["+strings.Repeat("1e999,", 500)+"1]"), strictjson.Limits{})
	if err == nil || len(err.Faults) != 100 {
		t.Fatalf("got %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,"\u0000",{"b":1e999}]}`, `{"a":1,"a":2}`, `"\ud800"`, "[[[[", "\xff", `1e-999999999`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := strictjson.Check(data, strictjson.Limits{})
		if err == nil {
			return
		}
		if err.Code != problem.InvalidJSON && err.Code != problem.InvalidInput {
			t.Errorf("unexpected code %s", err.Code)
		}
		for _, fault := range err.Faults {
			if !strings.HasPrefix(fault.Pointer, "#") || fault.Detail == "" {
				t.Errorf("incomplete fault %v", fault)
			}
		}
	})
}
