package core_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"itemcast/internal/contract"
	"itemcast/internal/node/nodetest"
	"itemcast/openapi"
)

// everyField has two values for each field of an item input but snapshot_id. A field that is added to the contract
// needs values here, and then a place in the document, the columns and GraphQL.
func everyField(profiles [2]string) map[string][2]string {
	return map[string][2]string{
		"name": {`"a"`, `"b"`}, "description": {`"a"`, `"b"`}, "type": {`"audio"`, `"live"`},
		"privacy": {`"public"`, `"unlisted"`}, "language": {`"de"`, `"pt-BR"`}, "producer": {`"a"`, `"b"`},
		"duration": {`1.5`, `2.25`}, "tags": {`["a"]`, `["b","c"]`}, "metadata": {`{"k":"a"}`, `{"k":"b"}`},
		"client_data": {`{"b":1,"a":1.50}`, `{"c":[true,null]}`}, "embed_code": {`"<b>"`, `"<i>"`},
		"assets": {
			`[{"id":"01890a5d-ac96-774b-bcce-b302099a8057","kind":"source","url":"https://a.example/1","content_type":"video/mp4",` +
				`"size":9007199254740991,"width":1,"height":2,"bitrate":3,"language":"de"}]`, `[]`,
		},
		"snapshots":           {`[{"id":"01890a5d-ac96-774b-bcce-b302099a8057","url":"https://a.example/2"}]`, `[]`},
		"player_url":          {`"https://a.example/3"`, `"https://a.example/4"`},
		"workflow_profile_id": {`"` + profiles[0] + `"`, `"` + profiles[1] + `"`},
	}
}

func TestItemInput_EveryFieldIsSetByEveryDoor(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"k","kind":"text"}`).WantStatus(t, http.StatusCreated)
	fields := everyField([2]string{n.CreateProfile("1"), n.CreateProfile("2")})
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		t.Fatal(err)
	}
	for name := range document.Spec().Components.Schemas["ItemInput"].Value.Properties {
		if _, known := fields[name]; !known && name != "snapshot_id" {
			t.Errorf("everyField has no value for %s", name)
		}
	}
	for name, values := range fields {
		read := func(door, path, want string) {
			t.Helper()
			wantField(t, door, n.Call(http.MethodGet, path, ""), name, want)
			// A stale document is rendered from the columns.
			if _, err := n.Pool.Exec(t.Context(), "UPDATE item SET document_version = 0"); err != nil {
				t.Fatal(err)
			}
			wantField(t, door+", from the columns", n.Call(http.MethodGet, path, ""), name, want)
		}
		body := func(value string) string { return with(t, []byte(`{"name":"n"}`), `"`+name+`":`+value) }
		path := "/api/v1/items/" + n.CreateItem(body(values[0]))
		read("POST", path, values[0])
		n.Call(http.MethodPut, path, body(values[1])).WantStatus(t, http.StatusOK)
		read("PUT", path, values[1])
		n.Call(http.MethodPatch, path, `{"`+name+`":`+patchOf(name, values[0])+`}`).WantStatus(t, http.StatusOK)
		read("PATCH", path, values[0])

		id := nodetest.PathID(path)
		n.GraphQL(`mutation($id: ID!, $input: CreateItemInput!) { replaceItem(id: $id, input: $input) { item { id } } }`,
			nodetest.Vars{"id": id, "input": graphQLInput(t, body(values[1]))})
		read("replaceItem", path, values[1])
		n.GraphQL(`mutation($id: ID!, $input: UpdateItemInput!) { updateItem(id: $id, input: $input) { item { id } } }`,
			nodetest.Vars{"id": id, "input": graphQLInput(t, `{"`+name+`":`+patchOf(name, values[0])+`}`)})
		read("updateItem", path, values[0])
		var created struct {
			CreateItem struct{ Item struct{ ID string } }
		}
		data := n.GraphQL(`mutation($input: CreateItemInput!) { createItem(input: $input) { item { id } } }`,
			nodetest.Vars{"input": graphQLInput(t, body(values[1]))})
		if err := json.Unmarshal(data, &created); err != nil {
			t.Fatal(err)
		}
		read("createItem", "/api/v1/items/"+created.CreateItem.Item.ID, values[1])
	}
	path := "/api/v1/items/" + n.CreateItem(`{"name":"n","snapshots":`+fields["snapshots"][0]+
		`,"snapshot_id":"01890a5d-ac96-774b-bcce-b302099a8057"}`)
	wantField(t, "POST", n.Call(http.MethodGet, path, ""), "snapshot_id", `"01890a5d-ac96-774b-bcce-b302099a8057"`)
}

// patchOf returns a merge patch that replaces an object of one of the two values by the other.
func patchOf(name, value string) string {
	if name == "client_data" {
		return strings.Replace(value, "{", `{"c":null,`, 1)
	}
	return value
}

func wantField(t *testing.T, door string, got nodetest.Response, name, want string) {
	t.Helper()
	var document map[string]json.RawMessage
	if err := json.Unmarshal(got.Body, &document); err != nil || got.Status != http.StatusOK {
		t.Fatalf("%s of %s: %d %s", door, name, got.Status, got.Body)
	}
	value := string(document[name])
	if name == "workflow_profile_id" {
		var workflow struct {
			ProfileID json.RawMessage `json:"profile_id"`
		}
		_ = json.Unmarshal(document["workflow"], &workflow)
		value = string(workflow.ProfileID)
	}
	if value != want {
		t.Errorf("%s of %s: got %s, want %s", door, name, value, want)
	}
}

// graphQLInput returns an item input as GraphQL names it.
func graphQLInput(t *testing.T, input string) map[string]any {
	t.Helper()
	var members map[string]any
	decoder := json.NewDecoder(strings.NewReader(input))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil {
		t.Fatal(err)
	}
	named := map[string]any{}
	for name, value := range members {
		words := strings.Split(name, "_")
		for i := range words[1:] {
			words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
		}
		switch name {
		case "type", "privacy", "kind":
			value = strings.ToUpper(value.(string))
		case "client_data":
			value = json.RawMessage(nested(input, name))
		case "assets":
			for i, asset := range value.([]any) {
				text, err := json.Marshal(asset)
				if err != nil {
					t.Fatal(err)
				}
				value.([]any)[i] = graphQLInput(t, string(text))
			}
		}
		named[strings.Join(words, "")] = value
	}
	return named
}

// nested returns a member of an object byte for byte.
func nested(object, name string) string {
	var members map[string]json.RawMessage
	_ = json.Unmarshal([]byte(object), &members)
	return string(members[name])
}

// What bounds a field when it is set bounds it when it is patched, so that a client that knows one knows the other.
func TestItemPatch_HasTheBoundsOfTheInput(t *testing.T) {
	t.Parallel()
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		t.Fatal(err)
	}
	schemas := document.Spec().Components.Schemas
	input, patch := schemas["ItemInput"].Value.Properties, schemas["ItemPatch"].Value.Properties
	for name, property := range input {
		in, of := property.Value, patch[name]
		if of == nil {
			t.Errorf("ItemPatch lacks %s", name)
			continue
		}
		p := of.Value
		bounds := func(s *openapi3.Schema) []any {
			return []any{s.MinLength, s.MaxLength, s.Min, s.Max, s.MaxItems, s.MaxProps, s.Pattern}
		}
		if !reflect.DeepEqual(bounds(in), bounds(p)) {
			t.Errorf("%s has other bounds in ItemPatch", name)
		}
		bounded := in.MaxLength != nil || in.Max != nil || in.MaxItems != nil || in.MaxProps != nil ||
			len(in.Enum) > 0 || in.Format == "uuid" || name == "client_data"
		if !bounded {
			t.Errorf("%s has no bound in ItemInput", name)
		}
	}
}
