package spec_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/browse/spec"
	"itemcast/internal/contract/contracttest"
)

func things(t *testing.T) *spec.Document {
	t.Helper()
	loaded := contracttest.File(t, "../testdata/things.yaml")
	document, err := spec.Read(loaded.JSON(), loaded.Base())
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestDocument_FindsResourcesByAddress(t *testing.T) {
	t.Parallel()
	d := things(t)
	for address, want := range map[string]string{
		"/api/t/":              "/",
		"/api/t/things":        "/things",
		"/api/t/things?a=b":    "/things",
		"/api/t/things/1":      "/things/{id}",
		"/api/t/things/a%2Fb":  "/things/{id}",
		"/api/t/things/export": "/things/export",
		"/api/t/things/":       "",
		"/api/t":               "",
		"/other":               "",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if resource := d.At(u); resource != nil {
			got = resource.Path
		}
		if got != want {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
	}
}

func TestDocument_RelatesWhatItDescribes(t *testing.T) {
	t.Parallel()
	d := things(t)
	if d.Live == nil || d.Live.ID != "streamEvents" {
		t.Errorf("changes are followed by %+v", d.Live)
	}
	if d.Index == nil || d.Index.Path != "/" {
		t.Errorf("the index is %+v", d.Index)
	}
	if list := d.Operation("listThings"); list.Rows != "/things/{id}" {
		t.Errorf("the rows of the list are at %q", list.Rows)
	}
	if list := d.ListAbove(d.Operation("pokeThing")); list == nil || list.ID != "listThings" {
		t.Errorf("the list to choose from is %+v", list)
	}
	for link, want := range map[string]string{
		"/things/{id}": "/api/t/things", "/keys/{id}": "", "/{path}": "", "": "",
	} {
		if got := d.ListOf(link); got != want {
			t.Errorf("the list of %q is %q, want %q", link, got, want)
		}
	}
	if got := d.Links["kind_id"]; got != "/keys/{id}" {
		t.Errorf("kind_id leads to %q", got)
	}
	var below []string
	for _, child := range d.Reads("/api/t/things/1").Resource.Children {
		below = append(below, child.Path)
	}
	if !slices.Equal(below, []string{"/things/{id}/poke"}) {
		t.Errorf("below a thing are %q", below)
	}
	var tags []string
	for _, tag := range d.Tags {
		tags = append(tags, tag.Name)
	}
	if !slices.Equal(tags, []string{"things", "keys"}) {
		t.Errorf("the tags are %q", tags)
	}
}

func TestOperation_NeedsAPIAccessAndItsOwnPermissions(t *testing.T) {
	t.Parallel()
	patch := things(t).Operation("patchThing")
	for _, c := range []struct {
		has  account.Permissions
		want bool
	}{
		{account.All(), true},
		{account.Permissions{account.APIAccess, account.ItemsEdit}, true},
		{account.Permissions{account.APIAccess, account.ItemsView}, false},
		{account.Permissions{account.ItemsEdit}, false},
		{nil, false},
	} {
		if got := patch.May(c.has); got != c.want {
			t.Errorf("with %q: %v, want %v", c.has.Strings(), got, c.want)
		}
	}
}

func TestOperation_KnowsWhatAPageCanDoWithIt(t *testing.T) {
	t.Parallel()
	d := things(t)
	if !d.Operation("sendFile").NeedsFile() || d.Operation("createThing").NeedsFile() {
		t.Error("a file can be typed, or a thing cannot")
	}
	if !d.Operation("streamEvents").OnlyStreams() || d.Operation("exportThings").OnlyStreams() {
		t.Error("only a stream of events has no end that a page waits for")
	}
	if !d.Operation("pokeThing").Creates() || d.Operation("patchThing").Creates() {
		t.Error("only a POST beside a thing creates")
	}
	if got := d.Operation("pokeThing").Means(http.StatusAccepted); got != "It is <em>poked</em>." {
		t.Errorf("202 means %q", got)
	}
	if got := d.Operation("getThing").AnswerType(); got != "Thing" {
		t.Errorf("the answer is a %q", got)
	}
}

func TestSchema_StatesTypesAndLimitsInWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{ // type, limits
		`{"type":"string","minLength":1,"maxLength":50}`:              {"string", "1 – 50 characters"},
		`{"type":["integer","null"],"minimum":0,"maximum":100000}`:    {"integer or null", "0 – 100,000"},
		`{"type":"array","maxItems":3,"items":{"type":"string"}}`:     {"array of string", "≤ 3 entries"},
		`{"type":"array","items":{"type":["string","null"]}}`:         {"array of (string or null)", ""},
		`{"type":"object","additionalProperties":{"type":"boolean"}}`: {"object of boolean", ""},
		`{"type":"string","format":"uuid","readOnly":true}`:           {"string (uuid)", "read only"},
		`{"anyOf":[{"type":"string"},{"type":"null"}]}`:               {"string or null", ""},
		`{"anyOf":[{"type":"string"},{"type":"integer"}]}`:            {"string or integer", ""},
		`{"enum":["a","b",null]}`:                                     {"string or null", ""},
		`{"const":"x","type":"string"}`:                               {"string", `always "x"`},
		`{"allOf":[{"$ref":"#/components/schemas/N"}]}`:               {"number", "≥ 5"},
		`{"$ref":"#/components/schemas/Circle"}`:                      {"any", ""},
		`{"$ref":"#/components/schemas/Missing"}`:                     {"any", ""},
		`{"type":"number","exclusiveMinimum":0,"multipleOf":0.5}`:     {"number", "> 0, multiple of 0.5"},
		`{}`: {"any", ""},
	} {
		d, err := spec.Read([]byte(`{"paths":{"/":{"get":{"operationId":"get",`+
			`"parameters":[{"name":"p","in":"query","schema":`+text+`}]}}},`+
			`"components":{"schemas":{"N":{"type":"number","minimum":5},`+
			`"Circle":{"$ref":"#/components/schemas/Circle"}}}}`), "/api")
		if err != nil {
			t.Fatal(err)
		}
		schema := d.Operation("get").Parameters[0].Schema
		if got := [2]string{schema.TypeText(), strings.Join(schema.Limits, ", ")}; got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestDescriptions_HaveNoMarkupOfTheDocument(t *testing.T) {
	t.Parallel()
	d := things(t)
	for where, html := range map[string]string{"intro": string(d.Intro), "tag": string(d.Tags[0].Description)} {
		if strings.Contains(html, "<script") || strings.Contains(html, "javascript:") {
			t.Errorf("%s: %s", where, html)
		}
	}
	if !strings.Contains(string(d.Intro), "<em>things</em>") {
		t.Errorf("the intro is %s", d.Intro)
	}
}
