package node_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
)

// wantRoundTrip runs a client that is generated from the OpenAPI document, and checks what it prints and what it has
// done. The client creates an item with only a name, sets fields, empties some with null, and finds and exports it.
func wantRoundTrip(t *testing.T, n *nodetest.Node, name string, client func() []byte) (out []byte) {
	t.Helper()
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"distributor","kind":"text"}`).
		WantStatus(t, http.StatusCreated)
	n.CreateItem(`{"name":"Before","tags":["Action, Adventure"],"metadata":{"distributor":"MGM"}}`)
	// A client that splits a tag at its comma, or drops a filter, finds this item too.
	n.CreateItem(`{"name":"Other","tags":["Action","Adventure"],"metadata":{"distributor":"UFA"}}`)
	out = client()
	var got struct {
		ID                            string
		Revision, Size                int64
		Duration                      float64
		Language                      *string
		Tagged, Distributed, Exported []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("the client prints %s: %v", out, err)
	}
	listed, exported := []string{name, "Before"}, []string{"Before", name}
	if got.Revision < 3 || got.Size != 1<<53-1 || got.Duration != 8953.123457 || got.Language != nil ||
		!slices.Equal(got.Tagged, listed) || !slices.Equal(got.Distributed, listed) ||
		!slices.Equal(got.Exported, exported) {
		t.Errorf("the client prints %s", out)
	}
	item := n.Call(http.MethodGet, "/api/v1/items/"+got.ID, "").WantStatus(t, http.StatusOK)
	if item.Field(t, "name") != name || item.Field(t, "producer") != "Ufa" ||
		!strings.Contains(string(item.Body), `"duration":8953.123457,`) {
		t.Errorf("the client made %s", item.Body)
	}
	return out
}

func TestClientsTyped_OpenAPITypescriptCompilesAndRuns(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	dir := typedExample(t, n)
	linkPackages(t, dir, "typed", "clients")
	run(t, dir, "npm", "run", "--silent", "openapi-fetch")
	out := wantRoundTrip(t, n, "From openapi-fetch", func() []byte {
		return run(t, dir, "node", "dist/openapi-fetch/main.js", n.URL, adminCredentials)
	})
	if !strings.Contains(string(out), `"text":2,"followed":2`) {
		t.Errorf("the client reads an export as text, and an event stream, as %s", out)
	}
}

func TestClientsTyped_GeneratorsForTypeScriptCompileAndRun(t *testing.T) {
	soak.Only(t)
	t.Parallel()
	for _, name := range []string{"hey-api", "orval"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t)
			dir := typedExample(t, n)
			linkPackages(t, dir, "typed", "clients")
			linkPackages(t, filepath.Join(dir, "generators"), "typed/generators", "soak")
			run(t, filepath.Join(dir, "generators"), "npm", "run", "--silent", name)
			wantRoundTrip(t, n, "From "+name, func() []byte {
				return run(t, dir, "node", "dist/"+name+"/main.js", n.URL, adminCredentials)
			})
		})
	}
}

func TestClientsTyped_GeneratorsForGoCompileAndRun(t *testing.T) {
	soak.Only(t)
	t.Parallel()
	for name, generate := range map[string][]string{
		"ogen":         {"tool", "ogen", "--target", "api", "--clean", "../openapi.json"},
		"oapi-codegen": {"tool", "oapi-codegen", "-config", "oapi-codegen.yaml", "../openapi.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.Start(t)
			dir := filepath.Join(typedExample(t, n), name)
			run(t, dir, "go", generate...)
			run(t, dir, "go", "vet", ".")
			wantRoundTrip(t, n, "From "+name, func() []byte { return run(t, dir, "go", "run", ".", n.URL, adminCredentials) })
		})
	}
}
