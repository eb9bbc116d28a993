package item

import (
	"strings"
	"testing"

	"itemcast/internal/problem"
)

func TestMetadata_EachKindAcceptsItsValuesOnly(t *testing.T) {
	b := setup(t)
	b.fields()
	for _, c := range []struct{ key, value, want string }{ // want: what is stored; empty if refused
		{"text", `"a <b>"`, `"a <b>"`}, {"text", `""`, `""`}, {"text", `1`, ""}, {"text", `true`, ""},
		{"number", `1e2`, `100`}, {"number", `1.50`, `1.5`}, {"number", `-0`, `0`}, {"number", `9007199254740993`, `9007199254740993`},
		{"number", `999999999999999999999999999999`, `999999999999999999999999999999`}, {"number", `1e30`, ""},
		{"number", `0.000000000000001`, `0.000000000000001`}, {"number", `1e-16`, ""}, {"number", `"1"`, ""},
		{"bool", `true`, `true`}, {"bool", `false`, `false`}, {"bool", `"true"`, ""}, {"bool", `0`, ""},
		{"date", `"2024-02-29"`, `"2024-02-29"`}, {"date", `"2023-02-29"`, ""}, {"date", `"2024-2-9"`, ""}, {"date", `20240229`, ""},
		{"choice", `"red"`, `"red"`}, {"choice", `"blue"`, ""}, {"choice", `1`, ""},
	} {
		document, err := b.items.Create(b.ctx, []byte(`{"name":"n","metadata":{"`+c.key+`":`+c.value+`}}`))
		if c.want == "" {
			if at := faults(t, err, problem.RuleViolated); !strings.HasPrefix(at, "#/metadata/"+c.key+" must ") {
				t.Errorf("%s %s: got %s", c.key, c.value, at)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.key, c.value, err)
			continue
		}
		if got := string(b.decode(document.Bytes).Metadata); got != `{"`+c.key+`":`+c.want+`}` {
			t.Errorf("%s %s is stored as %s, want %s", c.key, c.value, got, c.want)
		}
	}
}

func TestMetadata_ReportsEveryFaultAtOnce(t *testing.T) {
	b := setup(t)
	b.fields()
	if _, err := b.items.CreateField(b.ctx, Field{Key: "must", Kind: "text", Required: true}); err != nil {
		t.Fatal(err)
	}
	_, err := b.items.Create(b.ctx, []byte(`{"name":" ","tags":["  "],"metadata":{"bool":1,"un/known":2,"date":"x"}}`))
	at := faults(t, err, problem.RuleViolated)
	for _, want := range []string{"#/name ", "#/tags ", "#/metadata/must is required", "#/metadata/bool ", "#/metadata/un~1known ", "#/metadata/date "} {
		if !strings.Contains(at, want) {
			t.Errorf("%q is missing from\n%s", want, at)
		}
	}
	if n := b.changes(); n != 0 {
		t.Errorf("a refused item left %d changes", n)
	}
}

func TestMetadata_NullLeavesAFieldEmptyAndKeysAreSorted(t *testing.T) {
	b := setup(t)
	b.fields()
	i := b.create(`{"name":"n","metadata":{"text":"t","number":1,"date":null,"bool":false}}`)
	if got := string(i.Metadata); got != `{"bool":false,"number":1,"text":"t"}` {
		t.Errorf("got %s", got)
	}
	if got := string(b.patch(i.ID, `{"metadata":{"text":null}}`).Metadata); got != `{"bool":false,"number":1}` {
		t.Errorf("got %s", got)
	}
}

// A required field is checked by every create and replace, and by a patch with metadata. Other patches pass.
func TestMetadata_EveryWriteOfMetadataNeedsARequiredField(t *testing.T) {
	b := setup(t)
	b.fields()
	i := b.create(`{"name":"n","metadata":{"number":100}}`)
	if _, err := b.items.CreateField(b.ctx, Field{Key: "must", Kind: "text", Required: true}); err != nil {
		t.Fatal(err)
	}
	b.patch(i.ID, `{"name":"other"}`)
	for what, write := range map[string]func() (Document, error){
		"create":               func() (Document, error) { return b.items.Create(b.ctx, []byte(`{"name":"n"}`)) },
		"replace with nothing": func() (Document, error) { return b.items.Replace(b.ctx, i.ID, []byte(`{"name":"n"}`), nil) },
		"replace with the same": func() (Document, error) {
			return b.items.Replace(b.ctx, i.ID, []byte(`{"name":"n","metadata":{"number":1e2}}`), nil)
		},
		"patch of another": func() (Document, error) {
			return b.items.Patch(b.ctx, i.ID, []byte(`{"metadata":{"number":2}}`), nil)
		},
		"patch of nothing": func() (Document, error) { return b.items.Patch(b.ctx, i.ID, []byte(`{"metadata":{}}`), nil) },
		"patch to nothing": func() (Document, error) { return b.items.Patch(b.ctx, i.ID, []byte(`{"metadata":null}`), nil) },
	} {
		_, err := write()
		if at := faults(t, err, problem.RuleViolated); at != "#/metadata/must is required" {
			t.Errorf("%s: got %s", what, at)
		}
	}
	for _, blank := range []string{`""`, `" "`, `"\t\n\u00a0"`} {
		_, err := b.items.Patch(b.ctx, i.ID, []byte(`{"metadata":{"must":`+blank+`}}`), nil)
		if at := faults(t, err, problem.RuleViolated); at != "#/metadata/must is required, and must not be blank" {
			t.Errorf("%s: got %s", blank, at)
		}
	}
	for line, want := range map[string]ImportCount{
		`{"id":"` + i.ID.String() + `","name":"other","metadata":{"number":1e2}}`: {Line: 1, Unchanged: 1},
		`{"id":"` + i.ID.String() + `","name":"other","metadata":{"number":3}}`:   {Line: 1, Rejected: 1},
	} {
		if report := b.importLines(b.ctx, line, ImportOptions{}); report.ImportCount != want {
			t.Errorf("import of %s: %+v", line, report)
		}
	}
	b.patch(i.ID, `{"metadata":{"number":2,"must":"x"}}`)
	if _, err := b.items.Replace(b.ctx, i.ID, []byte(`{"name":"third","metadata":{"must":"y"}}`), nil); err != nil {
		t.Error(err)
	}
}

func TestMetadata_ARequiredChoiceThatIsBlankHasOneFault(t *testing.T) {
	b := setup(t)
	if _, err := b.items.CreateField(b.ctx, Field{Key: "must", Kind: "choice", Choices: []string{"a"}, Required: true}); err != nil {
		t.Fatal(err)
	}
	_, err := b.items.Create(b.ctx, []byte(`{"name":"n","metadata":{"must":""}}`))
	if at := faults(t, err, problem.RuleViolated); at != "#/metadata/must is required, and must not be blank" {
		t.Errorf("got %s", at)
	}
}

// An item's values stay valid whatever happens to their fields. They may be sent again, left out or removed, and are
// checked when they change.
func TestMetadata_ValuesOfADeletedFieldMayStayOrGoButNotChange(t *testing.T) {
	b := setup(t)
	b.fields()
	old := b.field("old", "number")
	const has = `{"number":1,"old":7}`
	i := b.create(`{"name":"n","metadata":` + has + `}`)
	if err := b.items.DeleteField(b.ctx, old.ID, nil); err != nil {
		t.Fatal(err)
	}
	metadata := func(what string, document Document, err error, want string) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		if got := string(b.decode(document.Bytes).Metadata); got != want {
			t.Errorf("%s: metadata is %s, want %s", what, got, want)
		}
	}
	patch := func(patch string) (Document, error) { return b.items.Patch(b.ctx, i.ID, []byte(patch), nil) }
	put := func(input string) (Document, error) { return b.items.Replace(b.ctx, i.ID, []byte(input), nil) }

	document, err := patch(`{"name":"other"}`)
	metadata("a patch of the name", document, err, has)
	document, err = patch(`{"metadata":{"number":2}}`)
	metadata("a patch of another value", document, err, `{"number":2,"old":7}`)
	document, err = patch(`{"metadata":{"old":7.0,"number":3}}`)
	metadata("a patch that repeats it", document, err, `{"number":3,"old":7}`)
	document, err = put(`{"name":"third","metadata":{"old":7,"number":4}}`)
	metadata("a replacement that repeats it", document, err, `{"number":4,"old":7}`)

	_, err = patch(`{"metadata":{"old":8}}`)
	if at := faults(t, err, problem.RuleViolated); at != "#/metadata/old belongs to a metadata field that has been deleted: leave the value as it is, or remove it (null in a patch, left out of a replacement)" {
		t.Errorf("got %s", at)
	}
	_, err = b.items.Create(b.ctx, []byte(`{"name":"n","metadata":{"old":7}}`))
	if at := faults(t, err, problem.RuleViolated); at != "#/metadata/old must be a metadata field of this account: leave it out, or make the field first (POST /api/v1/metadata-fields)" {
		t.Errorf("got %s", at)
	}
	document, err = patch(`{"metadata":{"old":null}}`)
	metadata("a patch that removes it", document, err, `{"number":4}`)
	_, err = patch(`{"metadata":{"old":7}}`)
	faults(t, err, problem.RuleViolated)
}

func TestMetadata_ValuesThatTheirFieldNoLongerAcceptsMayStay(t *testing.T) {
	b := setup(t)
	b.fields()
	colour := b.field("colour", "choice", "red", "blue")
	i := b.create(`{"name":"n","metadata":{"colour":"blue"}}`)
	if _, err := b.items.PatchField(b.ctx, colour.ID, FieldPatch{Choices: &[]string{"red", "green"}}, nil); err != nil {
		t.Fatal(err)
	}
	if got := string(b.patch(i.ID, `{"metadata":{"number":1}}`).Metadata); got != `{"colour":"blue","number":1}` {
		t.Errorf("got %s", got)
	}
	b.patch(i.ID, `{"metadata":{"colour":"green"}}`)
	_, err := b.items.Patch(b.ctx, i.ID, []byte(`{"metadata":{"colour":"blue"}}`), nil)
	if at := faults(t, err, problem.RuleViolated); at != "#/metadata/colour must be one of red, green" {
		t.Errorf("got %s", at)
	}
}

func TestMetadata_IsAtMost64KiB(t *testing.T) {
	b := setup(t)
	b.fields()
	frame := len(`{"text":""}`)
	b.create(`{"name":"n","metadata":{"text":"` + strings.Repeat("a", 64<<10-frame) + `"}}`)
	_, err := b.items.Create(b.ctx, []byte(`{"name":"n","metadata":{"text":"`+strings.Repeat("a", 64<<10-frame+1)+`"}}`))
	if at := faults(t, err, problem.RuleViolated); at != "#/metadata must be at most 64 KiB" {
		t.Errorf("got %s", at)
	}
}

func TestClientData_IsStoredUnchangedWithinItsLimits(t *testing.T) {
	b := setup(t)
	nested := func(levels int) string { // the object itself is the first level
		return `{"name":"n","client_data":` + strings.Repeat(`{"a":`, levels-1) + `{}` + strings.Repeat(`}`, levels)
	}
	b.create(nested(20))
	_, err := b.items.Create(b.ctx, []byte(nested(21)))
	if at := faults(t, err, problem.RuleViolated); at != "#/client_data must be at most 20 levels deep" {
		t.Errorf("got %s", at)
	}
	_, err = b.items.Create(b.ctx, []byte(`{"name":"n","client_data":{"a":"`+strings.Repeat("a", 64<<10)+`"}}`))
	if at := faults(t, err, problem.RuleViolated); at != "#/client_data must be at most 64 KiB" {
		t.Errorf("got %s", at)
	}
	i := b.create(`{"name":"n","client_data":{"z":1.0,"a":[1e2, null],"n":null}}`)
	if got := string(b.patch(i.ID, `{"client_data":{"b":{"x":null,"y":1}}}`).ClientData); got != `{"z":1.0,"a":[1e2,null],"n":null,"b":{"y":1}}` {
		t.Errorf("after a merge client_data is %s", got)
	}
}

// Text that Postgres cannot store is the client's error.
func TestInput_RefusesTextThatPostgresCannotStore(t *testing.T) {
	b := setup(t)
	b.fields()
	for _, input := range []string{
		`{"name":"a\u0000b"}`, `{"name":"n","metadata":{"text":"\u0000"}}`, `{"name":"n","client_data":{"a":"\u0000"}}`,
		`{"name":"n","tags":["\u0000"]}`, `{"name":"\ud800"}`, "{\"name\":\"\xff\"}", `{"name":"n","client_data":{"a":"\udc00"}}`,
	} {
		if _, err := b.items.Create(b.ctx, []byte(input)); problem.Of(err) == nil {
			t.Errorf("%q: got %v, want an error", input, err)
		}
	}
}

func TestMetadataFilter_AcceptsOnlyValuesOfTheFieldsKind(t *testing.T) {
	b := setup(t)
	b.fields()
	for _, c := range [][2]string{
		{"number", "true"}, {"number", "null"}, {"number", `"1"`}, {"number", " 1 "}, {"number", "[1]"}, {"number", `{"a":1}`}, {"number", ""},
		{"number", "1e40"}, {"bool", "yes"}, {"date", "2024"}, {"choice", "blue"}, {"unknown", "x"},
	} {
		_, err := b.items.List(b.ctx, Filter{Metadata: map[string]string{c[0]: c[1]}}, Paging{Limit: 1})
		if at := faults(t, err, problem.InvalidInput); !strings.HasPrefix(at, "metadata."+c[0]+" ") {
			t.Errorf("%v: got %s", c, at)
		}
		_, err = NewMatcher(b.ctx, b.pool, b.account, Filter{Metadata: map[string]string{c[0]: c[1]}})
		faults(t, err, problem.InvalidInput)
	}
}
