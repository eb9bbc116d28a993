package nodetest

import "strings"

// ForEachRoute sends a request to each operation on one item, hook, metadata field or access token, with the same id.
func (c *Client) ForEachRoute(id string, check func(name string, got Response)) {
	c.T.Helper()
	for _, route := range [][3]string{
		{"GET", "/items/{id}", ""},
		{"PUT", "/items/{id}", `{"name":"x"}`},
		{"PATCH", "/items/{id}", `{"name":"x"}`},
		{"DELETE", "/items/{id}", ""},
		{"DELETE", "/items/{id}/assets/{id}", ""},
		{"DELETE", "/items/{id}/snapshots/{id}", ""},
		{"GET", "/items/{id}/history", ""},
		{"POST", "/items/{id}/trigger-hook", ""},
		{"POST", "/items/{id}/media-links", ""},
		{"GET", "/hooks/{id}", ""},
		{"DELETE", "/hooks/{id}", ""},
		{"GET", "/metadata-fields/{id}", ""},
		{"PATCH", "/metadata-fields/{id}", `{"label":"x"}`},
		{"DELETE", "/metadata-fields/{id}", ""},
		{"GET", "/tokens/{id}", ""},
		{"PATCH", "/tokens/{id}", `{"name":"x"}`},
		{"POST", "/tokens/{id}/rotate", ""},
		{"DELETE", "/tokens/{id}", ""},
	} {
		path := "/api/v1" + strings.ReplaceAll(route[1], "{id}", id)
		check(route[0]+" "+path, c.Call(route[0], path, route[2]))
	}
}
