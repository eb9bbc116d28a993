package node_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// Apollo Client takes the complete answer to a query with @defer.
func TestClients_ApolloGetsDeferredFields(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateItem(`{"name":"a"}`)
	var got struct {
		DataState string
		Data      struct {
			Items struct {
				Nodes []struct {
					Name      string
					CreatedBy *struct{ Name string }
				}
			}
		}
	}
	line := nodetest.Next(t, example(t, "clients/apollo-defer.mjs", n.URL, adminCredentials))
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if nodes := got.Data.Items.Nodes; got.DataState != "complete" || len(nodes) != 1 || nodes[0].Name != "a" ||
		nodes[0].CreatedBy == nil || nodes[0].CreatedBy.Name != "Administrator" {
		t.Errorf("the first result is %s", line)
	}
}

// The common clients, each with its own settings, run a query, one that is refused, a mutation and a subscription.
func TestClients_EachRunsEveryOperation(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, name := range []string{
		"graphql over graphql-ws", "graphql over graphql-sse",
		"urql over graphql-ws", "urql over graphql-ws-alone", "urql over graphql-sse", "urql over fetch",
		"urql over fetch-post",
		"apollo over graphql-ws", "apollo over graphql-sse", "apollo over get",
	} {
		t.Run(name, func(t *testing.T) {
			script, transport, _ := strings.Cut(name, " over ")
			lines := example(t, "clients/"+script+".mjs", n.URL, adminCredentials, transport)
			type result struct {
				Data struct {
					Me          struct{ Email string }
					CreateItem  struct{ Item struct{ ID, Name string } }
					ItemChanges nodetest.Event
				}
				Errors []struct {
					Message    string
					Extensions struct{ Code string }
				}
			}
			var results struct{ Query, Refused, Mutation, Change result }
			for range 4 {
				line := nodetest.Next(t, lines)
				if err := json.Unmarshal(line, &results); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
			}
			if results.Query.Data.Me.Email != nodetest.AdminEmail {
				t.Errorf("the query: %+v", results.Query)
			}
			errs := results.Refused.Errors
			if len(errs) != 1 || errs[0].Extensions.Code != "GRAPHQL_VALIDATION_FAILED" ||
				!strings.Contains(errs[0].Message, "nothing") {
				t.Errorf("the refused query: %+v", results.Refused)
			}
			made, change := results.Mutation.Data.CreateItem.Item, results.Change.Data.ItemChanges
			if made.Name != "Müde Tod, der 🎞" {
				t.Fatalf("the mutation: %+v", results.Mutation)
			}
			document := n.Call(http.MethodGet, "/api/v1/items/"+made.ID, "").WantStatus(t, http.StatusOK).Body
			if change.Kind != "CREATED" || string(change.Document) != string(document) {
				t.Errorf("the change: %s %s %v, not of %s", change.Kind, change.Document, results.Change.Errors, document)
			}
		})
	}
}
