package node_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/revision"
)

// staleRevision is a revision that no walked resource has.
const staleRevision = 999

func TestWalk_EveryResourceThatCanBePatchedTakesIfMatch(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	w.ids["items"] = nodetest.PathID(w.CreateItem(`{"name":"walked"}`))
	var spec object
	if err := json.Unmarshal(w.Contract.JSON(), &spec); err != nil {
		t.Fatal(err)
	}
	resources := 0
	for _, path := range slices.Sorted(maps.Keys(spec.at("paths"))) {
		if spec.at("paths", path, "patch") == nil {
			continue
		}
		resources++
		at := w.Contract.Base() + strings.ReplaceAll(path, "{id}", w.id(strings.Split(path, "/")[1]))
		current := w.Call(http.MethodGet, at, "").WantStatus(t, http.StatusOK).Header.Get("ETag")
		if current == "" {
			t.Errorf("get %s returns no ETag", path)
		}
		w.WantNoWrites(func() {
			for _, method := range []string{"put", "patch", "delete"} {
				operation := spec.at("paths", path, method)
				if operation == nil {
					continue
				}
				mediaType, body := spec.body(operation)
				got := w.Call(strings.ToUpper(method), at, body, "Content-Type", mediaType, "If-Match", revision.ETag(staleRevision)).
					WantProblem(t, method+" "+path, http.StatusPreconditionFailed, "REVISION_MISMATCH")
				if got.Header.Get("ETag") != current {
					t.Errorf("%s %s: the ETag is %s, want the current %s", method, path, got.Header.Get("ETag"), current)
				}
			}
		})
	}
	if resources < 6 {
		t.Errorf("only %d resources were found", resources)
	}
}

func TestWalk_EveryGraphQLUpdateAndDeletionTakesARevision(t *testing.T) {
	t.Parallel()
	w := startWalk(t)
	w.ids["items"] = nodetest.PathID(w.CreateItem(`{"name":"walked"}`))
	schema := w.introspect()
	mutations := 0
	w.WantNoWrites(func() {
		for _, field := range schema["Mutation"].Fields {
			if !strings.HasPrefix(field.Name, "update") && !strings.HasPrefix(field.Name, "replace") &&
				!strings.HasPrefix(field.Name, "delete") && !strings.HasPrefix(field.Name, "revoke") {
				continue
			}
			mutations++
			at := slices.IndexFunc(field.Args, func(a graphQLArgument) bool { return a.Name == "ifRevision" })
			if at < 0 {
				t.Errorf("%s has no argument ifRevision", field.Name)
				continue
			}
			optional := field.Args[at].Type
			field.Args[at].Type = graphQLRef{Kind: "NON_NULL", OfType: &optional} // so that operation gives it a value
			query, variables, _ := w.operation(schema, "mutation", field)
			variables["ifRevision"] = staleRevision
			if got, codes := w.TryGraphQL(query, variables); !slices.Equal(codes, []string{"REVISION_MISMATCH"}) {
				t.Errorf("%s: got %s", field.Name, got.Body)
			}
		}
	})
	if mutations < 13 {
		t.Errorf("only %d mutations were found", mutations)
	}
}
