package core_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestInput_InvalidJSONIsRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	n.WantNoWrites(func() {
		for _, body := range []string{
			`{`, `}`, `{"name":}`, `{"name":"a",}`, `{'name':'a'}`, `{"name":"a"}{"name":"b"}`, `{"name":"a"} x`,
			`{"name":"a","name":"b"}`, "{\"name\":\"\xff\"}",
			"{\"name\":\"\xc0\x80\"}", `{"name":"\ud800"}`, `{"name":"a` + "\n" +
				`"}`, `{"name":NaN}`, `{"name":"a","duration":01}`, `{"name":"a","duration":.5}`,
			`{"name":"a","duration":Infinity}`, "\xef\xbb\xbf{\"name\":\"a\"}", `nul`, `"`, ` `,
			strings.Repeat("[", 100_000),
			strings.Repeat(`{"a":`, 100_000),
		} {
			n.Call(http.MethodPost, "/api/v1/items", body).
				WantProblem(t, "POST "+body, http.StatusBadRequest, "INVALID_JSON")
			n.Call(http.MethodPatch, item, body).WantProblem(t, "PATCH "+body, http.StatusBadRequest, "INVALID_JSON")
			n.Call(http.MethodPost, "/api/v1/hooks", body).
				WantProblem(t, "hook "+body, http.StatusBadRequest, "INVALID_JSON")
		}
	})
}

// Programs that show only the detail show the first fault.
func TestInput_TheDetailHasTheFirstFault(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for input, want := range map[string]string{
		`{}`:                        "The input is not valid at name: is required.",
		`{"nmae":"x","tags":[" "]}`: "The input is not valid at name: is required (and 2 more; see errors).",
		`[]`:                        "The input is not valid: must be an object.",
	} {
		if got := n.Call(http.MethodPost, "/api/v1/items", input).Detail(t); got != want {
			t.Errorf("%s: got %q, want %q", input, got, want)
		}
	}
	got := n.Call(http.MethodGet, "/api/v1/items?limit=201", "").Detail(t)
	if want := "The input is not valid at limit: must be at most 200."; got != want {
		t.Errorf("a parameter: got %q, want %q", got, want)
	}
}

func TestInput_EveryFaultHasItsPointer(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	n.WantNoWrites(func() {
		for _, c := range []struct {
			method, path, body string
			places             []string
		}{
			{"POST", "/api/v1/items", `{}`, []string{"#/name"}},
			{"POST", "/api/v1/items", `[]`, []string{"#"}},
			{"POST", "/api/v1/items", `null`, []string{"#"}},
			{"POST", "/api/v1/items", `{"name":null}`, []string{"#/name"}},
			{"POST", "/api/v1/items", `{"name":"","nmae":"x","type":"film","tags":["a",1,""],"duration":-1,"assets":[{"kind":"source"},{}],"a/b~c":1}`,
				[]string{"#/assets/0/content_type", "#/assets/0/url", "#/assets/1/content_type", "#/assets/1/kind",
					"#/assets/1/url", "#/a~1b~0c", "#/duration", "#/name", "#/nmae", "#/tags/1", "#/tags/2", "#/type"}},
			{"POST", "/api/v1/items", `{"name":7,"description":[],"privacy":true,"language":"!","client_data":[],"metadata":"","snapshot_id":"x","player_url":"ftp://x"}`,
				[]string{"#/client_data", "#/description", "#/language", "#/metadata", "#/name", "#/player_url",
					"#/privacy", "#/snapshot_id"}},
			{"POST", "/api/v1/items", `{"name":"a\u0000b","tags":["\u0000"],"client_data":{"\u0000":1,"a":"\u0000"},"metadata":{"k":"\u0000"}}`,
				[]string{"#/client_data/%00", "#/client_data/a", "#/metadata/k", "#/name", "#/tags/0"}},
			{"POST", "/api/v1/items", `{"name":"a","duration":1e999,"client_data":{"n":1e999,"m":[-1e400]},"metadata":{"n":1e999}}`,
				[]string{"#/client_data/m/0", "#/client_data/n", "#/duration", "#/metadata/n"}},
			{"POST", "/api/v1/items", `{"name":"a","client_data":{"n":1` + strings.Repeat("0", 400) + `}}`,
				[]string{"#/client_data/n"}},
			{"POST", "/api/v1/items", `{"name":"a","client_data":{"n":1e-999999999}}`, []string{"#/client_data/n"}},
			{"POST", "/api/v1/items", `{"name":"a","client_data":{"d":` + deep + `}}`, nil},
			{"POST", "/api/v1/items", `{"name":"` + strings.Repeat("ä", 501) + `"}`, []string{"#/name"}},
			{"PATCH", item, `{"name":null,"id":"x","tags":[null],"duration":"1","revision":7}`,
				[]string{"#/duration", "#/id", "#/name", "#/revision", "#/tags/0"}},
			{"PATCH", item, `[]`, []string{"#"}},
			{"PATCH", item, `null`, []string{"#"}},
			{"PUT", item, `{"tags":"a"}`, []string{"#/name", "#/tags"}},
			{"POST", "/api/v1/metadata-fields", `{"key":"Not A Key","kind":"blob","label":1,"x":1}`,
				[]string{"#/key", "#/kind", "#/label", "#/x"}},
			{"POST", "/api/v1/hooks", `{"url":"nonsense","events":["item.created","item.created","x"],"active":"yes"}`,
				[]string{"#/active", "#/events/1", "#/events/2", "#/url"}},
			{"POST", "/api/v1/hooks", `{"url":"http://user:pass@example.com/"}`, []string{"#/url"}},
		} {
			got := n.Call(c.method, c.path, c.body).
				WantProblem(t, c.method+" "+c.body, http.StatusBadRequest, "INVALID_INPUT")
			places := slices.Compact(got.FaultPlaces(t))
			if c.places != nil && got.Status == http.StatusBadRequest && !slices.Equal(places, c.places) {
				t.Errorf("%s %.200s: faults at %q, want %q", c.method, c.body, places, c.places)
			}
		}
	})
}

func TestInput_ViolationsOfTheAccountsRulesHaveTheirPointers(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, field := range []string{`{"key":"year","kind":"number"}`, `{"key":"seen","kind":"bool"}`,
		`{"key":"day","kind":"date"}`, `{"key":"tint","kind":"choice","choices":["red","blue"]}`,
		`{"key":"who","kind":"text","required":true}`} {
		n.Call(http.MethodPost, "/api/v1/metadata-fields", field).WantStatus(t, http.StatusCreated)
	}
	n.WantNoWrites(func() {
		for _, c := range []struct {
			path, body string
			places     []string
		}{
			{"/items", `{"name":" ","tags":[" "],"metadata":{"year":"x","seen":1,"day":"2026-02-30","tint":"green","who":7,"no~/such":1}}`,
				[]string{"#/metadata/day", "#/metadata/no~0~1such", "#/metadata/seen", "#/metadata/tint",
					"#/metadata/who", "#/metadata/year", "#/name", "#/tags"}},
			{"/items", `{"name":"a","metadata":{"who":"x","year":` + strings.Repeat("9", 31) + `}}`,
				[]string{"#/metadata/year"}},
			{"/items", `{"name":"a","metadata":{"who":"x","year":1e300}}`, []string{"#/metadata/year"}},
			{"/items", `{"name":"a","metadata":{}}`, []string{"#/metadata/who"}},
			{"/items", `{"name":"a","metadata":{"who":"x"},"client_data":{"x":"` + strings.Repeat("x", 65<<10) + `"}}`,
				[]string{"#/client_data"}},
			{"/items", `{"name":"a","metadata":{"who":"` + strings.Repeat("x", 65<<10) + `"}}`, []string{"#/metadata"}},
			{"/items", `{"name":"a","metadata":{"who":"x"},"snapshot_id":"01890a5d-ac96-774b-bcce-b302099a8057"}`,
				[]string{"#/snapshot_id"}},
			{"/metadata-fields", `{"key":"more","kind":"choice"}`, []string{"#/choices"}},
			{"/metadata-fields", `{"key":"more","kind":"text","choices":["a"]}`, []string{"#/choices"}},
		} {
			got := n.Call(http.MethodPost, "/api/v1"+c.path, c.body).
				WantProblem(t, c.body, http.StatusUnprocessableEntity, "RULE_VIOLATED")
			places := got.FaultPlaces(t)
			if got.Status == http.StatusUnprocessableEntity && !slices.Equal(places, c.places) {
				t.Errorf("%.200s: faults at %q, want %q", c.body, places, c.places)
			}
		}
		n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"text"}`).
			WantProblem(t, "a key twice", http.StatusConflict, "CONFLICT")
	})
}

func TestInput_WhatExceedsALimitIsRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	n.WantNoWrites(func() {
		big := `{"name":"` + strings.Repeat("x", 1<<20) + `"}`
		for method, path := range map[string]string{"POST": "/api/v1/items", "PUT": item, "PATCH": item} {
			n.Call(method, path, big).WantProblem(t, method, http.StatusRequestEntityTooLarge, "TOO_LARGE")
		}
		many := `{"name":"a","client_data":{"a":[` + strings.Repeat("0,", 400_000) + `0]}}`
		n.Call(http.MethodPost, "/api/v1/items", many).
			WantProblem(t, "many values", http.StatusBadRequest, "INVALID_INPUT")
		query := "?" + strings.Repeat("metadata.a=1&", 500)
		n.Call(http.MethodGet, "/api/v1/items"+query, "").
			WantProblem(t, "many parameters", http.StatusBadRequest, "BAD_REQUEST")
		long := strings.Repeat("x", 5000)
		got := n.Call(http.MethodPost, "/api/v1/items", `{"name":"a"}`, "Idempotency-Key", long[:256]).
			WantProblem(t, "a long key", http.StatusBadRequest, "INVALID_INPUT")
		if places := got.FaultPlaces(t); !slices.Equal(places, []string{"Idempotency-Key"}) {
			t.Errorf("a long key: faults at %q", places)
		}
		n.Call(http.MethodGet, "/api/v1/items?search="+long, "").
			WantProblem(t, "a long search", http.StatusBadRequest, "INVALID_INPUT")
		n.Call(http.MethodGet, "/api/v1/items?after="+long, "").
			WantProblem(t, "a long cursor", http.StatusBadRequest, "INVALID_INPUT")
		n.Call(http.MethodGet, item, "", "If-None-Match", long).
			WantProblem(t, "a long If-None-Match", http.StatusBadRequest, "INVALID_INPUT")
	})
}

func TestInput_FaultsOfTheContractAndOfTheRulesComeTogether(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"must","kind":"text","required":true}`).
		WantStatus(t, http.StatusCreated)
	item := "/api/v1/items/" + n.Call(http.MethodPost, "/api/v1/items", `{"name":"a","metadata":{"must":"x"}}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	n.WantNoWrites(func() {
		const both = `{"name":"n","colour":1,"tags":[" "],"metadata":{"must":" ","nope":1}}`
		want := []string{"#/colour", "#/metadata/must", "#/metadata/nope", "#/tags"}
		for method, path := range map[string]string{"POST": "/api/v1/items", "PUT": item, "PATCH": item} {
			got := n.Call(method, path, both).WantProblem(t, method, http.StatusBadRequest, "INVALID_INPUT")
			if places := got.FaultPlaces(t); !slices.Equal(places, want) {
				t.Errorf("%s: faults at %q, want %q", method, places, want)
			}
			got = n.Call(method, path, strings.Replace(both, `"colour":1,`, "", 1)).
				WantProblem(t, method, http.StatusUnprocessableEntity, "RULE_VIOLATED")
			if places := got.FaultPlaces(t); !slices.Equal(places, want[1:]) {
				t.Errorf("%s: faults at %q, want %q", method, places, want[1:])
			}
		}
		n.Call("POST", "/api/v1/items", both, "Idempotency-Key", "k").
			WantProblem(t, "with a key", http.StatusBadRequest, "INVALID_INPUT")
		n.Call("PUT", item, both, "If-Match", "x").
			WantProblem(t, "with a bad precondition", http.StatusBadRequest, "INVALID_INPUT")
		const create = `mutation {
			createItem(input: {name: "n", language: "!", metadata: {nope: 1}}) { item { id } }
		}`
		got, codes := n.TryGraphQL(create, nil)
		for _, place := range []string{"#/language", "#/metadata/must", "#/metadata/nope"} {
			if len(codes) != 1 || codes[0] != "INVALID_INPUT" || !strings.Contains(string(got.Body), `"`+place+`"`) {
				t.Errorf("GraphQL does not report %s: %s", place, got.Body)
			}
		}
	})
}

// A detail shows no regular expression, and no null among the values of an enum that is not nullable.
func TestInput_FaultsAreDescribedInWords(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	for _, c := range [][4]string{
		{"PATCH", item, `{"language":"!"}`, "must be a BCP 47 language tag such as de or pt-BR"},
		{"PATCH", item, `{"type":"film"}`, "must be null, or one of video, audio, image, document, live"},
		{"PUT", item, `{"name":"a","type":"film"}`, "must be one of video, audio, image, document, live"},
		{"PATCH", item, `{"player_url":"ftp://a"}`, "must begin with http:// or https://"},
		{"POST", "/api/v1/items", `{"name":"a","assets":[{"kind":"source","url":"https://a/","content_type":"mp4"}]}`,
			"must be a media type such as video/mp4"},
		{"POST", "/api/v1/metadata-fields", `{"key":"A","kind":"text"}`,
			"must be 1 to 63 lower-case letters, digits or underscores, and begin with a letter"},
		{"POST", "/api/v1/hooks", `{"url":"ftp://a/"}`, "must begin with http:// or https://"},
	} {
		var p struct{ Errors []struct{ Detail string } }
		got := n.Call(c[0], c[1], c[2]).WantProblem(t, c[2], http.StatusBadRequest, "INVALID_INPUT")
		if err := json.Unmarshal(got.Body, &p); err != nil || len(p.Errors) != 1 || p.Errors[0].Detail != c[3] {
			t.Errorf("%s: got %s, want %q", c[2], got.Body, c[3])
		}
	}
}
