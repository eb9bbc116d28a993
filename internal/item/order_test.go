package item

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io/fs"
	"slices"
	"testing"

	"github.com/google/uuid"

	"itemcast/openapi"

	"itemcast/internal/jsonobject"
)

// A document has every field in the contract's order, which x-order, the declaration and required share.
func TestDocument_HasEveryFieldOfTheContractInItsOrder(t *testing.T) {
	b := setup(t)
	empty := b.create(`{"name":"n"}`)
	full := b.create(`{"name":"n","assets":[{"kind":"source","url":"https://a.example/1","content_type":"video/mp4"}],"snapshots":[{"url":"https://a.example/1"}]}`)
	full.Workflow = &ItemWorkflow{ProfileID: uuid.New(), Status: "running"}
	for _, i := range []*Item{empty, full} {
		document, err := Encode(i)
		if err != nil {
			t.Fatal(err)
		}
		members := ordered(t, document)
		expectOrder(t, "Item", members)
		for _, m := range members {
			switch {
			case m.Name == "workflow" && i == full:
				expectOrder(t, "ItemWorkflow", ordered(t, m.Value))
			case m.Name == "assets" && i == full:
				expectOrder(t, "Asset", ordered(t, elementOf(t, m.Value)))
			case m.Name == "snapshots" && i == full:
				expectOrder(t, "Snapshot", ordered(t, elementOf(t, m.Value)))
			}
		}
	}
}

func expectOrder(t *testing.T, schema string, got []jsonobject.Member) {
	t.Helper()
	raw, err := fs.ReadFile(openapi.Files, "core.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	declared := document.Components.Schemas[schema]
	type property struct {
		name  string
		order int
	}
	var properties []property
	for _, m := range ordered(t, declared.Properties) {
		var x struct {
			Order int `json:"x-order"`
		}
		if err := json.Unmarshal(m.Value, &x); err != nil {
			t.Fatal(err)
		}
		properties = append(properties, property{m.Name, x.Order})
	}
	if !slices.IsSortedFunc(properties, func(a, b property) int { return cmp.Compare(a.order, b.order) }) {
		t.Errorf("%s: x-order is not the order of declaration: %v", schema, properties)
	}
	var want, names []string
	for _, p := range properties {
		want = append(want, p.name)
	}
	for _, m := range got {
		names = append(names, m.Name)
	}
	if !slices.Equal(names, want) || !slices.Equal(declared.Required, want) {
		t.Errorf("%s\n  document %v\n  declared %v\n  required %v", schema, names, want, declared.Required)
	}
}

func ordered(t *testing.T, raw []byte) []jsonobject.Member {
	t.Helper()
	all, err := jsonobject.Members(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return all
}

func elementOf(t *testing.T, raw []byte) []byte {
	t.Helper()
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil || len(elements) == 0 {
		t.Fatalf("%s: %v", raw, err)
	}
	return bytes.TrimSpace(elements[0])
}
