package nodetest

import (
	"encoding/json"
	"net/http"
	"testing"
)

// Vars are the variables of an operation.
type Vars map[string]any

// GraphQL runs an operation over POST and returns its data. An error ends the test.
func (c *Client) GraphQL(query string, variables any) json.RawMessage {
	c.T.Helper()
	got, codes := c.TryGraphQL(query, variables)
	if codes != nil {
		c.T.Fatalf("%s: %s", query, got.Body)
	}
	data, _ := got.GraphQL(c.T)
	return data
}

// TryGraphQL runs an operation over POST and returns the codes of its errors.
func (c *Client) TryGraphQL(query string, variables any) (got Response, codes []string) {
	c.T.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		c.T.Fatal(err)
	}
	got = c.Call(http.MethodPost, "/graphql", string(body))
	_, codes = got.GraphQL(c.T)
	return got, codes
}

// GraphQL returns the data of a GraphQL response and the codes of its errors. An error without a message or a code
// fails the test, and so does one that shows something of the implementation.
func (r Response) GraphQL(t testing.TB) (data json.RawMessage, codes []string) {
	t.Helper()
	var response struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	r.decode(t, &response)
	for _, e := range response.Errors {
		if e.Message == "" || e.Extensions.Code == "" {
			t.Errorf("an error has no message or no code: %.500s", r.Body)
		}
		codes = append(codes, e.Extensions.Code)
	}
	if len(response.Errors) > 0 {
		r.WantNoInternals(t, "GraphQL")
	}
	return response.Data, codes
}
