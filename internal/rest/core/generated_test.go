package core_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"itemcast/internal/contract"
	"itemcast/internal/rest/core/internal/oapi"
	"itemcast/openapi"
)

const id = "01890a5d-ac96-774b-bcce-b302099a8057"

// recorded holds what the generated code has decoded.
type recorded struct {
	oapi.StrictServerInterface // the operations that the test does not use
	list                       oapi.ListItemsParams
	created                    *oapi.CreateItemJSONRequestBody
	patch                      *oapi.PatchItemApplicationMergePatchPlusJSONRequestBody
	field                      *oapi.MetadataFieldInput
}

func (g *recorded) ListItems(_ context.Context, r oapi.ListItemsRequestObject) (oapi.ListItemsResponseObject, error) {
	g.list = r.Params
	return nil, nil
}

func (g *recorded) CreateItem(
	_ context.Context, r oapi.CreateItemRequestObject,
) (oapi.CreateItemResponseObject, error) {
	g.created = r.Body
	return nil, nil
}

func (g *recorded) PatchItem(_ context.Context, r oapi.PatchItemRequestObject) (oapi.PatchItemResponseObject, error) {
	g.patch = r.Body
	return nil, nil
}

func (g *recorded) CreateMetadataField(
	_ context.Context, r oapi.CreateMetadataFieldRequestObject,
) (oapi.CreateMetadataFieldResponseObject, error) {
	g.field = r.Body
	return nil, nil
}

// The test also shows how the generated code is wired.
func TestGuard_GeneratedCodeDecodesAcceptedRequests(t *testing.T) {
	t.Parallel()
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		t.Fatal(err)
	}
	problems := contract.NewProblems(slog.New(slog.DiscardHandler))
	g, mux := &recorded{}, http.NewServeMux()
	strict := oapi.NewStrictHandlerWithOptions(g, nil, oapi.StrictHTTPServerOptions{
		RequestErrorHandlerFunc: problems.WriteUndecodable, ResponseErrorHandlerFunc: problems.Write,
	})
	server := oapi.HandlerWithOptions(strict, oapi.StdHTTPServerOptions{
		BaseURL: document.Base(), BaseRouter: document.Guard(mux, contract.Options{Problems: problems}),
		ErrorHandlerFunc: problems.WriteUndecodable,
	})
	query := "limit=200&tags=a&tags=b,c&type=video,audio&created_after=2026-01-31T12:00:00.5%2B02:00&count=true" +
		"&sort=-name&metadata.a=1&search=%22a%2Cb%22"
	if got := ask(t, server, "GET", "/api/v1/items?"+query, ""); got.Code != 200 {
		t.Fatalf("list: %s", got.Body)
	}
	if p := g.list; *p.Limit != 200 || strings.Join(*p.Tags, " ") != "a b c" || len(*p.Type) != 2 ||
		p.CreatedAfter.IsZero() ||
		!*p.Count || *p.Sort != "-name" || *p.Search != `"a,b"` {
		t.Errorf("decoded %+v", p)
	}
	item := `{"name":"日本","type":"audio","duration":1.5,"tags":["x"],"metadata":{"a":1e300},` +
		`"client_data":{"x":[{"y":null}]},` +
		`"assets":[{"kind":"source","url":"https://example.com/a","content_type":"video/mp4",` +
		`"size":9007199254740991}],` +
		`"snapshots":[{"id":"` + id + `","url":"https://example.com/s"}],"snapshot_id":"` + id + `","language":null}`
	if got := ask(t, server, "POST", "/api/v1/items", item, "Content-Type: application/json"); got.Code != 200 {
		t.Fatalf("create: %s", got.Body)
	}
	if string(*g.created) != item {
		t.Errorf("decoded %s", *g.created)
	}
	field := `{"key":"a","kind":"choice","choices":["日本"],"required":true}`
	got := ask(t, server, "POST", "/api/v1/metadata-fields", field, "Content-Type: application/json")
	if got.Code != 200 {
		t.Fatalf("create a field: %s", got.Body)
	}
	if f := g.field; f.Key != "a" || f.Kind != oapi.MetadataKindChoice || len(f.Choices) != 1 ||
		f.Choices[0] != "日本" || !f.Required {
		t.Errorf("decoded %+v", f)
	}
	patch := `{"description":null,"metadata":{"a":null}}`
	got = ask(t, server, "PATCH", "/api/v1/items/"+id, patch, "Content-Type: application/merge-patch+json",
		`If-Match: "3"`)
	if got.Code != 200 || string(*g.patch) != patch {
		t.Errorf("patch: %s", got.Body)
	}
	bad := ask(t, server, "POST", "/api/v1/metadata-fields",
		`{"key":"A","kind":1,"colour":2,"choices":[3,""],"required":null}`, "Content-Type: application/json")
	var p struct {
		Code   string
		Errors []any
	}
	if err := json.Unmarshal(bad.Body.Bytes(), &p); err != nil || p.Code != "INVALID_INPUT" || len(p.Errors) != 6 {
		t.Errorf("faults: %s", bad.Body)
	}
}

// ask sends a request; headers are "Name: value".
func ask(t *testing.T, server http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response := httptest.NewRecorder()
	server.ServeHTTP(response, request)
	return response
}
