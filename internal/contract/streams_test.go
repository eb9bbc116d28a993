package contract_test

import (
	"net/http/httptest"
	"testing"

	"itemcast/internal/contract"
	"itemcast/openapi"
)

func TestStreams_AreTheOperationsThatTheDocumentMarks(t *testing.T) {
	t.Parallel()
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		t.Fatal(err)
	}
	streams := document.Streams()
	for target, want := range map[string]bool{
		"GET /api/v1/changes?after=x":    true,
		"HEAD /api/v1/changes":           true,
		"POST /api/v1/items/import":      true,
		"GET /api/v1/items/export":       true,
		"POST /api/v1/changes":           false,
		"GET /api/v1/items":              false,
		"GET /api/v1/items/changes":      false,
		"GET /changes":                   false,
		"GET /graphql?x=/api/v1/changes": false,
	} {
		var method, path string
		for i := range target {
			if target[i] == ' ' {
				method, path = target[:i], target[i+1:]
				break
			}
		}
		if got := streams(httptest.NewRequest(method, path, nil)); got != want {
			t.Errorf("%s: got %v", target, got)
		}
	}
}
