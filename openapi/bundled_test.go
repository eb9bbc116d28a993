package openapi_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"itemcast/openapi"
)

// document is a served document with every object in it by its JSON Pointer.
type document struct {
	root    map[string]any
	objects map[string]map[string]any
}

func load(t *testing.T) (d document) {
	t.Helper()
	text, err := fs.ReadFile(openapi.Files, "core.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d.root); err != nil {
		t.Fatal(err)
	}
	d.objects = map[string]map[string]any{}
	d.collect("#", d.root)
	return d
}

func (d document) collect(pointer string, value any) {
	switch value := value.(type) {
	case map[string]any:
		d.objects[pointer] = value
		for name, member := range value {
			d.collect(pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), member)
		}
	case []any:
		for i, element := range value {
			d.collect(fmt.Sprint(pointer, "/", i), element)
		}
	}
}

// isSchema tells schemas from objects whose members have names of their own, such as properties.
func isSchema(pointer string) bool {
	parts := strings.Split(pointer, "/")
	return len(parts) < 2 || !slices.Contains([]string{"properties", "examples", "parameters"}, parts[len(parts)-1])
}

// Generators of clients read the type beside an enum: without it, several lose null.
func TestBundled_EveryEnumHasATypeBesideIt(t *testing.T) {
	t.Parallel()
	nullable := 0
	for pointer, object := range load(t).objects {
		enum, isEnum := object["enum"].([]any)
		if !isEnum || !isSchema(pointer) {
			continue
		}
		types, several := object["type"].([]any)
		if !several {
			types = []any{object["type"]}
		}
		if types[0] == nil || slices.Contains(enum, nil) != slices.Contains(types, "null") {
			t.Errorf("%s has the values %v and the type %v", pointer, enum, object["type"])
		}
		if slices.Contains(enum, nil) {
			nullable++
		}
	}
	if nullable == 0 {
		t.Error("no enum has null")
	}
}

// Generators disagree about a schema of several types; null is the only second type that all can read.
func TestBundled_ASchemaHasOneTypeAndNull(t *testing.T) {
	t.Parallel()
	for pointer, object := range load(t).objects {
		types, several := object["type"].([]any)
		if several && isSchema(pointer) && (len(types) != 2 || types[1] != "null") {
			t.Errorf("%s has the types %v: use oneOf", pointer, types)
		}
	}
}

// Generators choose types such as BigInt for int64, although our numbers stay below 2⁵³; and oapi-codegen chooses
// float32 for a number without a format.
func TestBundled_EveryNumberIsADouble(t *testing.T) {
	t.Parallel()
	for pointer, object := range load(t).objects {
		if object["format"] == "int64" {
			t.Errorf("%s has the format int64", pointer)
		}
		types, several := object["type"].([]any)
		isNumber := object["type"] == "number" || several && slices.Contains(types, "number")
		if isNumber && isSchema(pointer) && object["format"] != "double" {
			t.Errorf("%s has the format %v", pointer, object["format"])
		}
	}
}

// openapi-typescript makes a field that has a default required.
func TestBundled_NoInputHasADefault(t *testing.T) {
	t.Parallel()
	d := load(t)
	inputs := 0
	for pointer, object := range d.objects {
		if body, isOperation := object["requestBody"]; isOperation && strings.HasPrefix(pointer, "#/paths/") {
			inputs++
			d.wantNoDefault(t, pointer+"/requestBody", body, map[string]bool{})
		}
	}
	if inputs < 15 {
		t.Errorf("only %d operations have a body", inputs)
	}
}

func (d document) wantNoDefault(t *testing.T, pointer string, value any, seen map[string]bool) {
	t.Helper()
	switch value := value.(type) {
	case map[string]any:
		if ref, isRef := value["$ref"].(string); isRef && !seen[ref] {
			seen[ref] = true
			d.wantNoDefault(t, ref, d.objects[ref], seen)
		}
		if found, has := value["default"]; has && isSchema(pointer) {
			t.Errorf("%s has the default %v: say it in the description", pointer, found)
		}
		for name, member := range value {
			d.wantNoDefault(t, pointer+"/"+name, member, seen)
		}
	case []any:
		for i, element := range value {
			d.wantNoDefault(t, fmt.Sprint(pointer, "/", i), element, seen)
		}
	}
}
