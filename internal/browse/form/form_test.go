package form_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/browse/form"
	"itemcast/internal/browse/spec"
	"itemcast/internal/problem"
)

// newForm makes the form of a PATCH or PUT whose body has these properties.
func newForm(t *testing.T, method, properties string) *form.Form {
	t.Helper()
	mediaType := "application/json"
	if method == http.MethodPatch {
		mediaType = "application/merge-patch+json"
	}
	document, err := spec.Read([]byte(`{"paths":{"/one":{"`+strings.ToLower(method)+`":{"operationId":"op",`+
		`"parameters":[{"name":"If-Match","in":"header","schema":{"type":"string"}},`+
		`{"name":"dry_run","in":"query","schema":{"type":"boolean"}}],`+
		`"requestBody":{"required":true,"content":{"`+mediaType+`":{"schema":{"type":"object",`+
		`"properties":`+properties+`}}}}}}}}`), "/api")
	if err != nil {
		t.Fatal(err)
	}
	made, err := form.New(document, document.Operation("op"))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// sent is what a browser sends for a draft.
func sent(d form.Draft) url.Values {
	values := url.Values{"_method": {d.Method}, "_was": {d.Was}, "_etag": {d.ETag}}
	fill(values, d.Inputs)
	return values
}

func fill(values url.Values, inputs []form.Input) {
	for _, in := range inputs {
		for _, row := range in.Rows {
			fill(values, row.Inputs)
		}
		switch {
		case len(in.Values) > 0:
			values[in.Control] = in.Values
		case in.Kind != "checks": // an unchecked box is not sent
			values.Set(in.Control, "")
		}
	}
}

func read(t *testing.T, f *form.Form, values url.Values) *form.Submission {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/one", strings.NewReader(values.Encode()))
	s, err := form.Read(httptest.NewRecorder(), r, form.MaxSize, func(string) *form.Form { return f })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whatever a field holds, an untouched form sends it back digit for digit, or not at all.
func TestForm_UntouchedSendsEveryValueAsItWas(t *testing.T) {
	t.Parallel()
	for schema, values := range map[string][]string{
		`{"type":"string"}`:                                       {`"a"`, `"a\nb"`, `""`, `null`, `7`, `{}`, `" a "`},
		`{"type":"string","maxLength":5000}`:                      {`"a\r\nb"`, `"\n"`, `null`},
		`{"type":"string","enum":["a","b"]}`:                      {`"a"`, `"c"`, `"c\nd"`, `null`},
		`{"type":"boolean"}`:                                      {`true`, `false`, `null`},
		`{"type":"number"}`:                                       {`1.50`, `12345678901234567890.50`, `-0`, `null`},
		`{"type":"object"}`:                                       {`{"b":[1,2],"a":{}}`, `{}`, `null`},
		`{"type":"array","items":{}}`:                             {`[1,"a",null]`, `[]`},
		`{"type":"string","format":"secret"}`:                     {`"a"`},
		`{"type":"array","items":{"type":"string"}}`:              {`["a","b"]`, `[" a "]`, `["a\nb"]`, `[""]`, `[1]`},
		`{"type":"array","items":{"type":"string","enum":["a"]}}`: {`["a"]`, `["b"]`},
		rowsSchema: {`[]`, `[{"key":"a"}]`, `[{"n":1.50,"key":"a","list":["b"],"deep":[{"x":1}]},{}]`, `[{"other":1}]`, `[null]`, `7`},
	} {
		put := newForm(t, http.MethodPut, `{"x":`+schema+`}`)
		patch := newForm(t, http.MethodPatch, `{"x":`+schema+`}`)
		for _, value := range values {
			filling := form.Filling{Record: form.Record{"x": json.RawMessage(value)}, Permissions: account.All()}
			want := `{"x":` + value + `}`
			if value == "null" {
				want = `{}`
			}
			if got := string(read(t, put, sent(put.Offer("/api/one", filling))).Body); got != want {
				t.Errorf("PUT of %s with %s sends %s", schema, value, got)
			}
			if got := string(read(t, patch, sent(patch.Offer("/api/one", filling))).Body); got != `{}` {
				t.Errorf("PATCH of %s with %s sends %s", schema, value, got)
			}
		}
	}
}

func TestSubmission_BecomesARequest(t *testing.T) {
	t.Parallel()
	f := newForm(t, http.MethodPatch, `{"name":{"type":"string"}}`)
	s := read(t, f, url.Values{
		"_method": {"patch"}, "_etag": {`"3"`}, "body.name": {"Cup"}, "query.dry_run": {"true"},
	})
	browsers := httptest.NewRequest(http.MethodPost, "/api/one?a=b", nil)
	browsers.Header.Set("Cookie", "session=1")
	r := s.Request(browsers)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Method != http.MethodPatch || r.URL.String() != "/api/one?dry_run=true" || string(body) != `{"name":"Cup"}` {
		t.Errorf("got %s %s %s", r.Method, r.URL, body)
	}
	for name, want := range map[string]string{
		"If-Match": `"3"`, "Content-Type": "application/merge-patch+json", "Accept": "*/*", "Cookie": "session=1",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestRead_RefusesFormsThatAreTooLargeOrBroken(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]problem.Code{
		"a=" + strings.Repeat("x", 100): problem.TooLarge,
		"a=%zz":                         problem.BadRequest,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(text))
		_, err := form.Read(httptest.NewRecorder(), r, 50, func(string) *form.Form { return nil })
		if !problem.Is(err, want) {
			t.Errorf("%.10s: got %v, want %s", text, err, want)
		}
	}
}

func TestSubmission_SecretsAreMasked(t *testing.T) {
	t.Parallel()
	f := newForm(t, http.MethodPut, `{"name":{"type":"string"},"password":{"type":"string","format":"password"}}`)
	for name, c := range map[string]struct {
		values url.Values
		want   string
	}{
		"fields":   {url.Values{"body.name": {"a"}, "body.password": {"hidden"}}, `{"name":"a","password":"…"}`},
		"none":     {url.Values{"body.name": {"a"}}, `{"name":"a"}`},
		"raw":      {url.Values{"_content": {`{"password":"hidden", "b":1}`}}, `{"password":"…","b":1}`},
		"not JSON": {url.Values{"_content": {`"password":"hidden"`}}, `…`},
	} {
		c.values.Set("_method", http.MethodPut)
		if got := string(read(t, f, c.values).MaskedBody()); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	d := f.Offer("/api/one", form.Filling{Record: form.Record{"password": json.RawMessage(`"hidden"`)}})
	if got := d.Inputs[1].Values; len(got) > 0 {
		t.Errorf("the form is filled in with the secret: %q", got)
	}
}

// Fields that the user left alone take the others' values; the rest retain what was typed.
func TestRebase_MergesByField(t *testing.T) {
	t.Parallel()
	f := newForm(t, http.MethodPatch, `{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"string"}}`)
	s := read(t, f, url.Values{
		"_method": {"PATCH"}, "_was": {`{"a":"0","b":"0","c":"0"}`},
		"body.a": {"mine"}, "body.b": {"mine"}, "body.c": {"0"},
	})
	now := form.ParseRecord([]byte(`{"a":"theirs","b":"0","c":"theirs"}`))
	draft, changes := s.Rebase("/api/one", form.Filling{Record: now, ETag: `"4"`, Permissions: account.All()})
	want := []form.Change{
		{Name: "a", Was: `"0"`, Now: `"theirs"`, Mine: true},
		{Name: "c", Was: `"0"`, Now: `"theirs"`},
	}
	if len(changes) != len(want) || changes[0] != want[0] || changes[1] != want[1] {
		t.Errorf("changes are %+v, want %+v", changes, want)
	}
	again := read(t, f, sent(draft))
	if got := string(again.Body); got != `{"a":"mine","b":"mine"}` || again.ETag() != `"4"` {
		t.Errorf("sent again: %s, If-Match %s", got, again.ETag())
	}
}

// rowsSchema is an array of objects that people fill in by fields.
const rowsSchema = `{"type":"array","items":{"type":"object","required":["key"],"properties":{"key":{"type":"string"},` +
	`"kind":{"enum":["edit","approve"]},"n":{"type":"number"},"list":{"type":"array","items":{"type":"string"}},` +
	`"deep":{"type":"array","items":{"type":"object","properties":{"x":{"type":"number"}}}}}}}`

func TestForm_AnArrayOfObjectsIsMadeRowByRow(t *testing.T) {
	t.Parallel()
	f := newForm(t, http.MethodPut, `{"x":`+rowsSchema+`}`)
	d := f.Offer("/api/one", form.Filling{Permissions: account.All()})
	if rows := d.Inputs[0].Rows; len(rows) < 4 || !rows[0].Open || rows[0].Remove != "" {
		t.Fatalf("a new form has the rows %+v", rows)
	}
	values := sent(d)
	values.Set("body.x.0.key", "a")
	values.Set("body.x.0.kind", "edit")
	values.Set("body.x.0.list", "one\r\ntwo")
	values.Set("body.x.2.key", "b") // the row between stays empty
	values.Set("body.x.2.deep", `[{"x":1}]`)
	const want = `{"x":[{"key":"a","kind":"edit","list":["one","two"]},{"key":"b","deep":[{"x":1}]}]}`
	if got := string(read(t, f, values).Body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestForm_RowsAreChangedAndRemoved(t *testing.T) {
	t.Parallel()
	f := newForm(t, http.MethodPatch, `{"x":`+rowsSchema+`}`)
	record := form.Record{"x": json.RawMessage(`[{"key":"a","n":1.50},{"key":"b"},{"key":"c","kind":"edit"}]`)}
	d := f.Offer("/api/one", form.Filling{Record: record, Permissions: account.All()})
	for name, c := range map[string]struct {
		change url.Values
		want   string
	}{
		"changed": {url.Values{"body.x.0.key": {"A"}}, `{"x":[{"key":"A","n":1.50},{"key":"b"},{"key":"c","kind":"edit"}]}`},
		"emptied": {url.Values{"body.x.2.kind": {""}}, `{"x":[{"key":"a","n":1.50},{"key":"b"},{"key":"c"}]}`},
		"removed": {url.Values{"body.x.1._remove": {"1"}}, `{"x":[{"key":"a","n":1.50},{"key":"c","kind":"edit"}]}`},
		"cleared": {url.Values{"body.x.1.key": {""}}, `{"x":[{"key":"a","n":1.50},{"key":"c","kind":"edit"}]}`},
		"added": {url.Values{"body.x.5.key": {"d"}},
			`{"x":[{"key":"a","n":1.50},{"key":"b"},{"key":"c","kind":"edit"},{"key":"d"}]}`},
		"all removed": {url.Values{"body.x.0._remove": {"1"}, "body.x.1._remove": {"1"}, "body.x.2._remove": {"1"}},
			`{"x":[]}`},
	} {
		values := sent(d)
		for control, texts := range c.change {
			values[control] = texts
		}
		if got := string(read(t, f, values).Body); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// A fault is at the field of its row, whichever rows stay empty or are removed.
func TestForm_AFaultIsAtTheFieldOfItsRow(t *testing.T) {
	t.Parallel()
	f := newForm(t, http.MethodPut, `{"x":`+rowsSchema+`}`)
	values := sent(f.Offer("/api/one", form.Filling{Permissions: account.All()}))
	values.Set("body.x.1.key", "a")
	values.Set("body.x.3.key", "b")
	failure := form.ParseProblem(http.StatusUnprocessableEntity, []byte(`{"title":"no","errors":[`+
		`{"pointer":"#/x/1/key","detail":"is taken"},{"pointer":"#/x/1/list/0","detail":"is no role"},`+
		`{"pointer":"#/x/0","detail":"lacks a kind"},{"pointer":"#/xy","detail":"is another"}]}`))
	d := read(t, f, values).Again("/api/one", failure, account.All())
	got := map[string]string{}
	for _, row := range d.Inputs[0].Rows {
		for _, in := range row.Inputs {
			if in.Error != "" {
				got[in.Control+" "+in.Value()] = in.Error
			}
		}
	}
	want := map[string]string{"body.x.3.key b": "is taken", "body.x.3.list ": "/0 is no role"}
	if !maps.Equal(got, want) || d.Inputs[0].Error != "/0 lacks a kind" {
		t.Errorf("the fields have %q, the rows %q", got, d.Inputs[0].Error)
	}
	bad := sent(f.Offer("/api/one", form.Filling{Permissions: account.All()}))
	bad.Set("body.x.2.deep", "no JSON")
	if faults := read(t, f, bad).Faults; len(faults) != 1 || faults[0].Pointer != "#/x/0/deep" {
		t.Errorf("got %v", faults)
	}
}
