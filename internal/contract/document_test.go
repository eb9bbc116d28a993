package contract_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/getkin/kin-openapi/openapi3"

	"itemcast/internal/contract"
	"itemcast/internal/contract/contracttest"
	"itemcast/openapi"
)

// Each served document is valid and self-contained, and the Guard can check all its operations.
func TestLoad_LoadsEveryServedDocument(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(openapi.Files, "*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("found %v: %v", names, err)
	}
	for _, name := range names {
		name = strings.TrimSuffix(name, ".json")
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
					t.Errorf("the %s has references to files, or hints for generators", form)
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

func TestLoad_RefusesWhatItCannotCheck(t *testing.T) {
	t.Parallel()
	const head = "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths: {}\n"
	for name, text := range map[string]string{
		"an invalid document":     "openapi: 3.1.0\npaths: {}\n",
		"another file":            head + "components: { schemas: { A: { $ref: 'other.yaml#/components/schemas/A' } } }\n",
		"a missing schema":        head + "components: { schemas: { A: { $ref: '#/components/schemas/Gone' } } }\n",
		"a pattern without words": head + "components: { schemas: { A: { type: string, pattern: '^a$' } } }\n",
		"a pattern with two words": head +
			"components: { schemas: { A: { type: string, pattern: '^a$', x-pattern-detail: must be a }, " +
			"B: { type: string, pattern: '^a$', x-pattern-detail: must be b } } }\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := contracttest.Load([]byte(text)); err == nil {
				t.Error("loads")
			}
		})
	}
	for name, files := range map[string]fstest.MapFS{
		"no file": {}, "no YAML": {"a.json": {Data: []byte("{}")}},
		"no JSON": {"a.json": {Data: []byte("a:")}, "a.yaml": {}},
	} {
		if _, err := contract.Load(files, "a"); err == nil {
			t.Errorf("%s: loads", name)
		}
	}
}

func TestDocument_IsServedWithAnETag(t *testing.T) {
	t.Parallel()
	document := contracttest.Document(t, []byte(things))
	for mediaType, serve := range map[string]http.HandlerFunc{
		"application/json": document.ServeJSON, "application/yaml": document.ServeYAML,
	} {
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

func TestSchema_ChecksJSON(t *testing.T) {
	t.Parallel()
	document := contracttest.Document(t, []byte(things))
	thing := document.Schema("Thing")
	if err := thing.Check([]byte(`{"name":"a"}`)); err != nil {
		t.Errorf("good: %v", err)
	}
	for _, bad := range []string{`{}`, `{"name":""}`, `{`, ``, `{"name":"\u0000"}`} {
		if err := thing.Check([]byte(bad)); err == nil || len(err.Faults) > 1 || err.Detail == "" {
			t.Errorf("%s: %v", bad, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("returns a schema that does not exist")
		}
	}()
	document.Schema("Gone")
}
