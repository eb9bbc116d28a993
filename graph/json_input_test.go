package graph_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// created runs a mutation that creates an item, and returns the item's document.
func created(t *testing.T, n *nodetest.Node, data json.RawMessage) json.RawMessage {
	t.Helper()
	var got struct {
		CreateItem struct{ Item struct{ ID string } }
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return n.Call(http.MethodGet, "/api/v1/items/"+got.CreateItem.Item.ID, "").WantStatus(t, http.StatusOK).Body
}

func member(t *testing.T, document json.RawMessage, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		t.Fatal(err)
	}
	return string(members[name])
}

// JSON values keep their digits and the order of their members, whichever way they come.
func TestJSONInput_KeepsDigitsAndOrder(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const (
		literal = `mutation { createItem(input: {name: "a", clientData: %s}) { item { id } } }`
		typed   = `mutation ($x: %s) { createItem(input: {name: "a", clientData: %s}) { item { id } } }`
	)
	for name, c := range map[string]struct{ query, variables, want string }{
		"digits of a literal": {
			with(literal, `{n: 1.10, e: 1e2, big: 92233720368547758080, long: 123456789012345678901234567890, z: -0, f: 0.10}`),
			`{}`, `{"n":1.10,"e":1e2,"big":92233720368547758080,"long":123456789012345678901234567890,"z":-0,"f":0.10}`,
		},
		"every kind of literal": {
			with(literal, `{title: "t \"q\" é 😀 \\", body: """
				block
				text
			""", e: ENUM, yes: true, no: false, none: null, list: [[], {}, [1.0, {b: 2, a: 1}]]}`),
			`{}`, `{"title":"t \"q\" é 😀 \\","body":"block\ntext","e":"ENUM","yes":true,"no":false,"none":null,"list":[[],{},[1.0,{"b":2,"a":1}]]}`,
		},
		"a variable": {
			with(typed, "JSON", "$x"), `{"x": {"title": "t", "body": [1.10, {"z": 1e2, "a": 92233720368547758080}]}}`,
			`{"title":"t","body":[1.10,{"z":1e2,"a":92233720368547758080}]}`,
		},
		"an input": {
			`mutation ($x: CreateItemInput!) { createItem(input: $x) { item { id } } }`,
			`{"x": {"clientData": {"z": 1.10, "a": {"d": 1, "c": 2}}, "name": "a"}}`, `{"z":1.10,"a":{"d":1,"c":2}}`,
		},
		"a default": {
			with(typed, "JSON = {z: 1.10, a: [92233720368547758080]}", "$x"), `{}`, `{"z":1.10,"a":[92233720368547758080]}`,
		},
		"a default that is not used": {with(typed, "JSON = {z: 1.10}", "$x"), `{"x":{"y":2.0}}`, `{"y":2.0}`},
		"the default of an input": {
			`mutation ($x: CreateItemInput! = {name: "a", clientData: {z: 1.10, a: 1}}) { createItem(input: $x) { item { id } } }`,
			`{}`, `{"z":1.10,"a":1}`,
		},
		"a JSON variable in a literal": {
			with(typed, "JSON", "{z: 1.10, x: $x, list: [$x, {x: $x}], a: 1}"), `{"x": {"d": 2.0, "c": 1}}`,
			`{"z":1.10,"x":{"d":2.0,"c":1},"list":[{"d":2.0,"c":1},{"x":{"d":2.0,"c":1}}],"a":1}`,
		},
		"a default in a literal": {with(typed, "JSON = {d: 2.0, c: 1}", "{z: $x, a: 1}"), `{}`, `{"z":{"d":2.0,"c":1},"a":1}`},
		"a list in a literal": {
			with(typed, "[JSON]", "{z: $x, a: 1}"), `{"x": [{"d": 2.0, "c": 1}, null, "s"]}`, `{"z":[{"d":2.0,"c":1},null,"s"],"a":1}`,
		},
		"one value for a list":      {with(typed, "[JSON]", "{x: $x}"), `{"x": {"d": 2.0, "c": 1}}`, `{"x":[{"d":2.0,"c":1}]}`},
		"one default for a list":    {with(typed, "[JSON] = {d: 2.0, c: 1}", "{x: $x}"), `{}`, `{"x":[{"d":2.0,"c":1}]}`},
		"a text in a literal":       {with(typed, "String", "{z: $x, a: [$x]}"), `{"x": "{\"<\" : 1}"}`, `{"z":"{\"<\" : 1}","a":["{\"<\" : 1}"]}`},
		"a number in a literal":     {with(typed, "Float", "{z: $x, a: [$x]}"), `{"x": 1.10}`, `{"z":1.10,"a":[1.10]}`},
		"numbers in a literal":      {with(typed, "[Float!]", "{z: $x}"), `{"x": [1.10, 1e2]}`, `{"z":[1.10,1e2]}`},
		"an integer in a literal":   {with(typed, "Int", "{z: $x}"), `{"x": 9007199254740993}`, `{"z":9007199254740993}`},
		"an enum in a literal":      {with(typed, "ItemType", "{z: $x}"), `{"x": "VIDEO"}`, `{"z":"VIDEO"}`},
		"null in a literal":         {with(typed, "JSON", "{z: $x, a: [$x]}"), `{"x": null}`, `{"z":null,"a":[null]}`},
		"nothing in a literal":      {with(typed, "JSON", "{z: $x, a: [$x], b: 1}"), `{}`, `{"a":[null],"b":1}`},
		"nothing first and last":    {with(typed, "JSON", "{x: $x, a: 1, y: $x}"), `{}`, `{"a":1}`},
		"nothing else in a literal": {with(typed, "JSON", "{x: $x}"), `{}`, `{}`},
		"a fragment of two operations": {
			`mutation one ($x: JSON) { ...make } mutation two ($x: Int) { ...make } fragment make on Mutation { createItem(input: {name: "a", clientData: {z: $x, a: 1.10}}) { item { id } } }`,
			`{"x": {"b": 2.0, "a": 1}}`, `{"z":{"b":2.0,"a":1},"a":1.10}`,
		},
		"null": {with(typed, "JSON", "$x"), `{"x": null}`, `{}`},
	} {
		request := request(t, c.query, c.variables)
		if strings.Contains(c.query, "mutation one") {
			request = strings.Replace(request, `{"query"`, `{"operationName":"one","query"`, 1)
		}
		for door, ask := range doors {
			for range 2 { // the second time, the document comes from the cache
				got := member(t, created(t, n, ask(n, request)), "client_data")
				if got != c.want && unescaped(got) != c.want {
					t.Errorf("%s by %s:\n got %s\nwant %s", name, door, got, c.want)
				}
			}
		}
	}
}

func with(format string, values ...string) string {
	for _, value := range values {
		format = strings.Replace(format, "%s", value, 1)
	}
	return format
}

func TestJSONInput_MetadataKeepsEveryDigit(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"votes","kind":"number"}`).WantStatus(t, http.StatusCreated)
	const digits = "123456789012345678901234567890"
	id := n.CreateItem(`{"name":"a","client_data":{"z":1.0,"a":2}}`)
	for name, query := range map[string]string{
		"create":  `mutation { createItem(input: {name: "a", metadata: {votes: ` + digits + `}}) { item { metadata } } }`,
		"replace": `mutation { replaceItem(id: "` + id + `", input: {name: "a", clientData: {z: 1.0, a: 2}, metadata: {votes: ` + digits + `}}) { item { metadata } } }`,
		"update":  `mutation { updateItem(id: "` + id + `", input: {metadata: {votes: ` + digits + `}, clientData: {a: 3.10, y: {d: 1, c: 2}}}) { item { metadata } } }`,
	} {
		if got := string(n.GraphQL(query, nil)); !strings.Contains(got, `{"votes":`+digits+`}`) {
			t.Errorf("%s: got %s", name, got)
		}
	}
	n.GraphQL(`mutation ($i: UpdateItemInput!) { updateItem(id: "`+id+`", input: $i) { item { id } } }`,
		json.RawMessage(`{"i":{"clientData":{"z":1.0,"a":3.10,"y":{"d":1,"c":2},"b":"<&>"}}}`))
	document := n.Call(http.MethodGet, "/api/v1/items/"+id, "").Body
	if got := member(t, document, "client_data"); unescaped(got) != `{"z":1.0,"a":3.10,"y":{"d":1,"c":2},"b":"<&>"}` {
		t.Errorf("got %s", got)
	}
}

// unescaped returns JSON with <, > and & as they are.
func unescaped(text string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(text)
}

// A Float takes an integer of any size. No field accepts such a value, but the error names the field and its limit.
func TestJSONInput_AFloatTakesALargeInteger(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	got, codes := n.TryGraphQL(`mutation { createItem(input: {name: "a", duration: 92233720368547758080}) { item { id } } }`, nil)
	if !slices.Equal(codes, []string{"INVALID_INPUT"}) || !strings.Contains(string(got.Body), `"detail":"must be at most`) {
		t.Errorf("got %s", got.Body)
	}
}

// Values that REST refuses are refused in a literal too, with the same code.
func TestJSONInput_InvalidLiteralsAreRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.WantNoWrites(func() {
		for value, code := range map[string]string{
			`{x: 1e999}`:                             "INVALID_INPUT",
			`{x: 1` + strings.Repeat("0", 400) + `}`: "INVALID_INPUT",
			`{x: "\u0000"}`:                          "INVALID_INPUT",
			`{x: 1, x: 2}`:                           "GRAPHQL_VALIDATION_FAILED",
			`{x: $i}`:                                "GRAPHQL_VALIDATION_FAILED", // the order of an input's fields is lost
			`{x: $nothing}`:                          "GRAPHQL_VALIDATION_FAILED",
			`[1]`:                                    "INVALID_INPUT", `"text"`: "INVALID_INPUT", `1`: "INVALID_INPUT",
		} {
			query := `mutation ($i: CreateItemInput) { createItem(input: {name: "a", clientData: ` + value + `}) { item { id } } replaceItem(id: "", input: $i) { item { id } } }`
			if !strings.Contains(value, "$i") {
				query = `mutation { createItem(input: {name: "a", clientData: ` + value + `}) { item { id } } }`
			}
			got, codes := n.TryGraphQL(query, nodetest.Vars{})
			if len(codes) == 0 || slices.ContainsFunc(codes, func(c string) bool { return c != code }) {
				t.Errorf("%.60s: got %q, want %s: %.400s", value, codes, code, got.Body)
			}
		}
	})
}
