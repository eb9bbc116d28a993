package nodetest

import (
	"encoding/json"
	"net/http"
	"testing"
)

// graphQL reads a GraphQL response: its data, and the code of every error. An error without a code, or with texts from inside, fails the test.
func (a Response) GraphQL(t *testing.T) (data json.RawMessage, codes []string) {
	t.Helper()
	var response struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(a.Body, &response); err != nil {
		t.Fatalf("%d %.500s: %v", a.Status, a.Body, err)
	}
	for _, e := range response.Errors {
		if e.Message == "" || e.Extensions.Code == "" {
			t.Errorf("an error has no message or no code: %.500s", a.Body)
		}
		codes = append(codes, e.Extensions.Code)
	}
	if len(response.Errors) > 0 {
		a.WantNoInternals(t, "GraphQL")
	}
	return response.Data, codes
}

// operation sends an operation and returns the codes of its errors.
func (n *Client) Operation(query string, variables any) (got Response, codes []string) {
	n.T.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		n.T.Fatal(err)
	}
	got = n.Call(http.MethodPost, "/graphql", string(body))
	_, codes = got.GraphQL(n.T)
	return got, codes
}

type Vars map[string]any

// graphql runs an operation that must succeed, and returns its data.
func (n *Client) GraphQL(query string, variables any) json.RawMessage {
	n.T.Helper()
	data, errs := n.tryGraphQL(query, variables)
	if errs != nil {
		n.T.Fatalf("%s: %s", query, errs)
	}
	return data
}

func (n *Client) tryGraphQL(query string, variables any) (data, errs json.RawMessage) {
	n.T.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		n.T.Fatal(err)
	}
	got := n.Call(http.MethodPost, "/graphql", string(body))
	var response struct{ Data, Errors json.RawMessage }
	if err := json.Unmarshal(got.Body, &response); err != nil {
		n.T.Fatalf("%d %s: %v", got.Status, got.Body, err)
	}
	return response.Data, response.Errors
}

func (n *Client) TryGraphQL(query string, variables any) (data json.RawMessage, codes []string) {
	n.T.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		n.T.Fatal(err)
	}
	return n.Call(http.MethodPost, "/graphql", string(body)).GraphQL(n.T)
}
