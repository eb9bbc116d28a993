package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// The schema is served as one file, which tools parse as it is.
func TestSchema_IsServedAsOneFile(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	got := n.Call(http.MethodGet, "/graphql/schema.graphql", "").WantStatus(t, http.StatusOK)
	if kind := got.Header.Get("Content-Type"); kind != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type is %s", kind)
	}
	text := string(got.Body)
	if strings.Contains(text, "extend ") || !strings.Contains(text, "\ntype Query {") || strings.Contains(text, "__Schema") {
		t.Errorf("got %s", text)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: strings.Replace(text, "directive @defer", "directive @other", 1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Item", "Node", "HookEdge", "CreateItemInput", "ItemChangeKind", "JSON"} {
		if schema.Types[name] == nil || schema.Types[name].Description == "" {
			t.Errorf("%s is missing, or its description is", name)
		}
	}
	// Clients hold an Int in 32 bits, and files have more bytes.
	for _, definition := range schema.Types {
		for _, field := range definition.Fields {
			name := strings.ToLower(field.Name)
			isSize := strings.Contains(name, "size") && definition.Name != "HookReplay"
			if (isSize || strings.HasSuffix(name, "bytes")) && field.Type.Name() != "Float" {
				t.Errorf("%s.%s is %s", definition.Name, field.Name, field.Type)
			}
		}
	}
}

// Only clients that may introspect can read the file.
func TestSchema_IsReadByUsersOfTheAPI(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	bare := n.CreateUser("bare@example.com", n.CreateRole("bare", account.APIAccess))
	outsider := n.CreateUser("outsider@example.com", n.CreateRole("outsider"))
	for status, by := range map[int]*nodetest.Client{
		http.StatusOK: bare, http.StatusForbidden: outsider, http.StatusUnauthorized: n.WithAuthorization(""),
	} {
		got := by.Call(http.MethodGet, "/graphql/schema.graphql", "").WantStatus(t, status)
		if introspected := by.Call(http.MethodPost, "/graphql", `{"query":"{ __schema { queryType { name } } }"}`); introspected.Status != status {
			t.Errorf("the file is answered with %d, introspection with %d", got.Status, introspected.Status)
		}
	}
	n.Call(http.MethodPost, "/graphql/schema.graphql", "{}").WantStatus(t, http.StatusMethodNotAllowed)
}
