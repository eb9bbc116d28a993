package browse_test

import (
	"encoding/json"
	"html"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"itemcast/internal/account"
	"itemcast/internal/browse"
	"itemcast/internal/contract"
	"itemcast/openapi"
)

// Every document that is served has a page for each of its operations.
func TestNew_AllDocuments(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(openapi.Files, "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("%v: %v", names, err)
	}
	for _, name := range names {
		document, err := contract.Load(openapi.Files, strings.TrimSuffix(name, ".json"))
		if err != nil {
			t.Fatal(err)
		}
		pages, err := browse.New(document, browse.Options{PublicURL: publicURL})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s := &site{t: t, actor: &account.Actor{Permissions: account.All()}}
		s.Handler = pages.Around(s.signIn, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, `{}`)
		}))
		for path, item := range document.Spec().Paths.Map() {
			address := document.Base() + strings.NewReplacer("{", "", "}", "").Replace(path)
			p := s.open(address).status(http.StatusOK)
			for method, op := range item.Operations() {
				if method != http.MethodGet && !takesOnlyFiles(op) {
					p.has(`id="` + op.OperationID + `"`)
				}
				s.open(document.Base() + "/?op=" + op.OperationID).has(html.EscapeString(op.Summary))
			}
		}
	}
}

// takesOnlyFiles reports whether an operation needs a file, which nobody can type: its page has no form for it.
func takesOnlyFiles(op *openapi3.Operation) bool {
	if op.RequestBody == nil || !op.RequestBody.Value.Required {
		return false
	}
	content := op.RequestBody.Value.Content
	return len(content) == 1 && content["multipart/form-data"] != nil
}

func TestOptions_DescribeAnAddress(t *testing.T) {
	t.Parallel()
	s := setup(t)
	p := s.do(http.MethodOptions, "/api/t/things/1", "").status(http.StatusOK)
	if got := p.Header().Get("Allow"); got != "GET, HEAD, PUT, PATCH, DELETE, OPTIONS" {
		t.Errorf("Allow: %s", got)
	}
	var excerpt struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(p.Body.Bytes(), &excerpt); err != nil {
		t.Fatal(err)
	}
	if excerpt.OpenAPI != "3.1.0" || len(excerpt.Paths) != 1 || excerpt.Paths["/things/{id}"]["patch"] == nil {
		t.Errorf("got %s", p.text)
	}
	schemas := excerpt.Components.Schemas
	if schemas["Kind"] == nil || schemas["ThingPatch"] == nil || schemas["Key"] != nil {
		t.Errorf("the components are not those that the path refers to: %s", p.text)
	}
	s.post("/api/t/things/1", url.Values{"_method": {"OPTIONS"}}).status(http.StatusOK).
		has(`<h1>OPTIONS /api/t/things/1</h1>`, `</b> /api/t/things/1</code>`, `<dt>Allow</dt>`)
}

func BenchmarkNew(b *testing.B) {
	document, err := contract.Load(openapi.Files, "core")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := browse.New(document, browse.Options{PublicURL: publicURL}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPage compares a page with its plain answer.
func BenchmarkPage(b *testing.B) {
	item := func(i int) string {
		id := strconv.Itoa(i)
		return `{"id":"` + id + `","url":"` + publicURL + `/api/t/things/` + id + `",` +
			`"name":"Thing <b>","tags":["a","b"],"metadata":{"year":1927},` +
			strings.Repeat(`"field":"some text of a thing",`, 18) + `"revision":3}`
	}
	var items []string
	for i := range 50 {
		items = append(items, item(i))
	}
	for name, c := range map[string]struct{ target, body string }{
		"thing":    {"/api/t/things/1", item(1)},
		"50things": {"/api/t/things", `{"results":[` + strings.Join(items, ",") + `],"next":null}`},
	} {
		s := setup(b, answering(http.StatusOK, c.body, "ETag", `"3"`))
		for form, accept := range map[string]string{"page": browserAccept, "JSON": "*/*"} {
			b.Run(name+"/"+form, func(b *testing.B) {
				for b.Loop() {
					s.requests = nil
					s.do(http.MethodGet, c.target, "", "Accept", accept)
				}
			})
		}
	}
}
