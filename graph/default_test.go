package graph_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// Clients send null for a variable that they leave empty. It means the default, as does an argument without a value.
func TestDefaults_NullMeansTheDefault(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"b"}`)
	n.CreateItem(`{"name":"a"}`)
	hook := nodetest.PathID(n.CreateHook(`{"url":"https://example.com/"}`))
	const paged = ` { nodes { id } pageInfo { hasNextPage } }`
	for query, argument := range map[string]string{
		`query ($v: Int) { hooks(first: $v)` + paged + ` }`:      "first",
		`query ($v: Int) { deliveries(first: $v)` + paged + ` }`: "first",
		`query ($v: Int) { users(first: $v)` + paged + ` }`:      "first",
		`query ($v: Int) { roles(first: $v)` + paged + ` }`:      "first",
		// Entries of sign-ins come later.
		`query ($v: Int) { audit(first: $v, filter: {actions: ["hook.created"]})` + paged + ` }`:                                                                       "first",
		`query ($v: Int) { workflowProfiles(first: $v)` + paged + ` }`:                                                                                                 "first",
		`query ($v: Int) { items(first: $v)` + paged + ` }`:                                                                                                            "first",
		`query ($v: ItemSort) { items(sort: $v)` + paged + ` }`:                                                                                                        "sort",
		`query ($v: Int) { item(id: "` + id + `") { history(first: $v) { nodes { kind } } } }`:                                                                         "first",
		`query ($v: Int) { hook(id: "` + hook + `") { deliveries(first: $v)` + paged + ` } }`:                                                                          "first",
		`mutation ($v: Int) { replayHook(id: "` + hook + `", since: "2026-01-01T00:00:00Z", rate: $v) { replay { rate } } stopHookReplay(id: "` + hook + `") { id } }`: "rate",
	} {
		omitted := n.GraphQL(query, nodetest.Vars{})
		for door, ask := range doors {
			if got := ask(n, request(t, query, `{"v":null}`)); string(got) != string(omitted) {
				t.Errorf("%s by %s: got %s, want %s", query, door, got, omitted)
			}
		}
		literal := strings.Replace(query, "$v", "null", 2)
		literal = strings.Replace(literal, "(null: Int)", "", 1)
		literal = strings.Replace(literal, "(null: ItemSort)", "", 1)
		if got := n.GraphQL(literal, nil); string(got) != string(omitted) {
			t.Errorf("%s: null in a literal %s gives %s, want %s", query, argument, got, omitted)
		}
		if strings.Contains(query, "$v: Int") {
			if got, codes := n.TryGraphQL(query, nodetest.Vars{"v": 0}); !slices.Equal(codes, []string{"INVALID_INPUT"}) {
				t.Errorf("%s: 0 is taken: %s", query, got.Body)
			}
		}
	}
	rotate := `mutation ($v: Boolean) { rotateHookSecret(id: "` + hook + `", revoke: $v) { oldSecretUntil } }`
	if got := n.GraphQL(rotate, nodetest.Vars{"v": nil}); strings.Contains(string(got), "null") {
		t.Errorf("the old secret is revoked: %s", got)
	}
}

// So every argument that has a default is nullable.
func TestDefaults_EveryArgumentWithADefaultTakesNull(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	var got struct {
		Schema struct {
			Types []struct {
				Name   string
				Fields []struct {
					Name string
					Args []struct {
						Name         string
						DefaultValue *string
						Type         struct{ Kind string }
					}
				}
			}
		} `json:"__schema"`
	}
	data := n.GraphQL(`{ __schema { types { name fields { name args { name defaultValue type { kind } } } } } }`, nil)
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	defaults := 0
	for _, of := range got.Schema.Types {
		for _, field := range of.Fields {
			for _, argument := range field.Args {
				if argument.DefaultValue == nil || strings.HasPrefix(of.Name, "__") {
					continue
				}
				defaults++
				if argument.Type.Kind == "NON_NULL" {
					t.Errorf("%s.%s(%s) refuses null", of.Name, field.Name, argument.Name)
				}
			}
		}
	}
	if defaults < 11 {
		t.Errorf("only %d defaults were found", defaults)
	}
}
