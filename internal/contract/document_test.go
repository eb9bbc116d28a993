package contract_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"

	"itemcast/internal/contract"
	"itemcast/openapi"
)

// TestLoad_Contracts holds for every document that is served: it is valid, whole, and all of it can be checked.
func TestLoad_Contracts(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(openapi.Files, "*.yaml")
	if err != nil || len(names) < 2 {
		t.Fatalf("found %v: %v", names, err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document, err := contract.Load(openapi.Files, name)
			if err != nil {
				t.Fatal(err)
			}
			for form, text := range map[string][]byte{"JSON": document.JSON(), "YAML": document.YAML()} {
				spec, err := openapi3.NewLoader().LoadFromData(text)
				if err != nil {
					t.Fatalf("read the %s: %v", form, err)
				}
				if err := spec.Validate(t.Context()); err != nil {
					t.Errorf("the %s: %v", form, err)
				}
				if strings.Contains(string(text), ".yaml#") || strings.Contains(string(text), "x-go-") {
					t.Errorf("the %s is not for others to read", form)
				}
			}
			guard := document.Guard(http.NewServeMux(), contract.Options{})
			for path, item := range document.Spec().Paths.Map() {
				for method := range item.Operations() {
					guard.HandleFunc(method+" "+document.Base()+path, http.NotFound)
				}
			}
		})
	}
}

func TestLoad_Bundles(t *testing.T) {
	t.Parallel()
	document, err := contract.Load(files, "main.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range document.Spec().Components.Schemas {
		names = append(names, name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "Kind Local Part Thing" {
		t.Errorf("schemas: %s", got)
	}
	fromYAML, err := yaml.YAMLToJSON(document.YAML())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(document.JSON()), string(fromYAML)} {
		list, item := strings.Index(text, `"/things"`), strings.Index(text, `"/things/{id}"`)
		if list < 0 || item < list || !strings.HasPrefix(text, `{"openapi":`) && !strings.HasPrefix(text, `{"openapi": `) {
			t.Errorf("the order is lost: %.80s", text)
		}
	}
}

func TestLoad_Refuses(t *testing.T) {
	t.Parallel()
	const head = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\n"
	for name, text := range map[string]string{
		"no YAML":                 "a: [",
		"invalid":                 "openapi: 3.1.0\npaths: {}\n",
		"a missing file":          head + "paths: {}\ncomponents: { schemas: { A: { $ref: 'gone.yaml#/components/schemas/A' } } }\n",
		"a missing schema":        head + "paths: {}\ncomponents: { schemas: { A: { $ref: 'shared.yaml#/components/schemas/Gone' } } }\n",
		"a taken name":            head + "paths: {}\ncomponents: { schemas: { Kind: { $ref: 'shared.yaml#/components/schemas/Kind' } } }\n",
		"a pattern without words": head + "paths: {}\ncomponents: { schemas: { A: { type: string, pattern: '^a$' } } }\n",
		"a pattern with two words": head + "paths: {}\ncomponents: { schemas: { A: { type: string, pattern: '^a$', x-pattern-detail: must be a }, " +
			"B: { type: string, pattern: '^a$', x-pattern-detail: must be b } } }\n",
		"a broken reference": head + "paths: {}\ncomponents: { schemas: { A: { $ref: 'shared.yaml' } } }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{"bad.yaml": {Data: []byte(text)}, "shared.yaml": files["shared.yaml"]}
			if _, err := contract.Load(files, "bad.yaml"); err == nil {
				t.Error("loads")
			}
		})
	}
}

func TestDocument_ServesItselfOnce(t *testing.T) {
	t.Parallel()
	document, err := contract.Load(files, "main.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for mediaType, serve := range map[string]http.HandlerFunc{"application/json": document.ServeJSON, "application/yaml": document.ServeYAML} {
		first := httptest.NewRecorder()
		serve(first, httptest.NewRequest(http.MethodGet, "/", nil))
		if first.Code != 200 || first.Header().Get("Content-Type") != mediaType || first.Body.Len() == 0 {
			t.Errorf("%s: %d %v", mediaType, first.Code, first.Header())
		}
		again := httptest.NewRequest(http.MethodGet, "/", nil)
		again.Header.Set("If-None-Match", first.Header().Get("ETag"))
		second := httptest.NewRecorder()
		serve(second, again)
		if second.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", mediaType, second.Code)
		}
	}
}

func TestSchema_ValidatesOnItsOwn(t *testing.T) {
	t.Parallel()
	document, err := contract.Load(files, "main.yaml")
	if err != nil {
		t.Fatal(err)
	}
	thing := document.Schema("Thing")
	if faults := thing.Validate([]byte(`{"name":"a"}`)); faults != nil {
		t.Errorf("good: %v", faults)
	}
	for _, bad := range []string{`{}`, `{"name":""}`, `{`, ``, `{"name":"\u0000"}`} {
		if faults := thing.Validate([]byte(bad)); len(faults) != 1 || faults[0].Pointer == "" || faults[0].Detail == "" {
			t.Errorf("%s: %v", bad, faults)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("there is a schema Gone")
		}
	}()
	document.Schema("Gone")
}
