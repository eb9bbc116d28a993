package graph_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// A server may ignore @defer. The answer then has every field, at every transport.
func TestDefer_OneAnswerHasTheDeferredFields(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"a","assets":[{"kind":"source","url":"https://example.com/","content_type":"a/b"}]}`)
	const fragments = ` fragment more on Item { createdBy { id name } history { nodes { kind } } assets { ... @defer { url } } }`
	for name, fields := range map[string]string{
		"an inline fragment":      `id ... @defer { createdBy { id name } }`,
		"with a type and a label": `id ... on Item @defer(label: "x") { createdBy { ... @defer { name } } revision }`,
		"a spread":                `id ...more @defer`,
		"a spread twice":          `id ...more @defer ...more`,
		"if true":                 `id ... @defer(if: true) { createdBy { id } }`,
		"if a variable says so":   `id ... @defer(if: $yes) { createdBy { id } }`,
		"only deferred":           `... @defer { name createdBy { id } }`,
		"plain fields":            `id ... @defer { name tags assets { ... @defer { url } } }`,
		"with another directive":  `id ... @defer @include(if: $yes) { createdBy { id } }`,
	} {
		query := `query ($yes: Boolean! = true) { items(first: 5) { ... @defer(if: $yes) { nodes { ` + fields + ` } } } again: items(first: 5) { nodes { ...more } } }` + fragments
		plain := query
		for _, directive := range []string{`@defer(label: "x")`, `@defer(if: true)`, `@defer(if: $yes)`, `@defer`} {
			plain = strings.ReplaceAll(plain, directive, "@skip(if: false)")
		}
		plain = strings.Replace(plain, "($yes: Boolean! = true)", "", 1)
		plain = strings.Replace(plain, "@include(if: $yes)", "", 1)
		want := n.GraphQL(plain, nil)
		if !strings.Contains(string(want), "name") && !strings.Contains(string(want), nodetest.AdminEmail) &&
			!strings.Contains(string(want), "createdBy") {
			t.Fatalf("%s: %s", name, want)
		}
		for door, ask := range doors {
			if got := ask(n, request(t, query, `{}`)); string(got) != string(want) {
				t.Errorf("%s by %s:\n got %s\nwant %s", name, door, got, want)
			}
		}
		if got := get(n, request(t, query, `{}`)); string(got) != string(want) {
			t.Errorf("%s by GET:\n got %s\nwant %s", name, got, want)
		}
	}

	follow := n.Subscribe(`subscription { itemChanges { kind ... @defer { actor { id } item { name ... @defer { createdBy { id } } } } } }`, nil)
	n.PatchItem(id, `{"name":"b"}`)
	admin := n.UserID(nodetest.AdminEmail)
	want := `{"data":{"itemChanges":{"kind":"UPDATED","actor":{"id":"` + admin + `"},"item":{"name":"b","createdBy":{"id":"` + admin + `"}}}}}`
	if kind, payload := follow.Receive(); kind != "next" || string(payload) != want {
		t.Errorf("the subscription: got %s %s, want %s", kind, payload, want)
	}
}

// Introspection shows @defer, which is honoured, and no directive of a generator.
func TestDefer_IntrospectionShowsTheDirectivesThatClientsCanUse(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	var got struct {
		Schema struct{ Directives []struct{ Name string } } `json:"__schema"`
	}
	if err := json.Unmarshal(n.GraphQL(`{ __schema { directives { name } } }`, nil), &got); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range got.Schema.Directives {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	if want := []string{"defer", "deprecated", "include", "oneOf", "skip", "specifiedBy"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	for _, unknown := range []string{`{ items { nodes @stream { id } } }`, `{ items { nodes { id @goField } } }`} {
		got, codes := n.TryGraphQL(unknown, nil)
		if got.Status != http.StatusOK || !slices.Equal(codes, []string{"GRAPHQL_VALIDATION_FAILED"}) ||
			!strings.Contains(string(got.Body), "Unknown directive") {
			t.Errorf("%s: got %s", unknown, got.Body)
		}
	}
}
