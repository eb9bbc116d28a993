package contract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Document is an OpenAPI document with its compiled schemas. It is safe for concurrent use.
type Document struct {
	name     string
	json     []byte
	yaml     []byte
	spec     *openapi3.T
	compiler *compiler
	schemas  map[string]*Schema
}

// Load reads a self-contained document, NAME.json and the same as NAME.yaml, and compiles its schemas.
func Load(files fs.FS, name string) (*Document, error) {
	d := &Document{name: name, schemas: map[string]*Schema{}}
	text, err := fs.ReadFile(files, name+".json")
	if err != nil {
		return nil, fmt.Errorf("read a contract: %w", err)
	}
	if d.yaml, err = fs.ReadFile(files, name+".yaml"); err != nil {
		return nil, fmt.Errorf("read a contract: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, fmt.Errorf("read the contract %s: %w", name, err)
	}
	d.json = compact.Bytes()
	loader := openapi3.NewLoader() // rejects references to other files
	if d.spec, err = loader.LoadFromData(d.json); err != nil {
		return nil, fmt.Errorf("read the contract %s: %w", name, err)
	}
	if err := d.spec.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("validate the contract %s: %w", name, err)
	}
	if d.compiler, err = newCompiler(d.json); err != nil {
		return nil, fmt.Errorf("compile the contract %s: %w", name, err)
	}
	if d.spec.Components == nil {
		return d, nil
	}
	for component := range d.spec.Components.Schemas {
		if d.schemas[component], err = d.compiler.compile("/components/schemas/" + component); err != nil {
			return nil, fmt.Errorf("compile the contract %s: %w", name, err)
		}
	}
	return d, nil
}

// JSON returns the document as compact JSON. The caller must not change it.
func (d *Document) JSON() []byte { return d.json }

// YAML returns the document. The caller must not change it.
func (d *Document) YAML() []byte { return d.yaml }

// Spec returns the document with its references resolved. The caller must not change it.
func (d *Document) Spec() *openapi3.T { return d.spec }

// Base returns the path of the document's first server, such as "/api/v1". Its operations are below that.
func (d *Document) Base() string {
	if len(d.spec.Servers) == 0 {
		return ""
	}
	server, err := url.Parse(d.spec.Servers[0].URL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(server.Path, "/")
}

// At returns the document for a server at a public URL, without a slash at its end: its operations are at the same
// address below that URL, and the document that is served names it. Error: the document has not exactly one server,
// with a path.
func (d *Document) At(publicURL string) (*Document, error) {
	base := d.Base()
	inJSON, inYAML := `"servers":[{"url":"`+base+`"}]`, "\nservers:\n  - url: "+base+"\n"
	if !bytes.Contains(d.json, []byte(inJSON)) || !bytes.Contains(d.yaml, []byte(inYAML)) {
		return nil, fmt.Errorf("the contract %s has not the server %q alone", d.name, base)
	}
	here, spec := *d, *d.spec
	spec.Servers = openapi3.Servers{{URL: publicURL + base}}
	here.spec = &spec
	here.json = bytes.Replace(d.json, []byte(inJSON), []byte(`"servers":[{"url":"`+publicURL+base+`"}]`), 1)
	here.yaml = bytes.Replace(d.yaml, []byte(inYAML), []byte("\nservers:\n  - url: "+publicURL+base+"\n"), 1)
	return &here, nil
}

// Schema returns the schema of a component. It panics if the document has none of that name: the program is wrong.
func (d *Document) Schema(name string) *Schema {
	schema, ok := d.schemas[name]
	if !ok {
		panic(fmt.Sprintf("contract: %s has no schema %q", d.name, name))
	}
	return schema
}

// ServeJSON serves the document with an ETag.
func (d *Document) ServeJSON(w http.ResponseWriter, r *http.Request) {
	serveText(w, r, "application/json", d.json)
}

// ServeYAML serves the document with an ETag.
func (d *Document) ServeYAML(w http.ResponseWriter, r *http.Request) {
	serveText(w, r, "application/yaml", d.yaml) // RFC 9512
}

func serveText(w http.ResponseWriter, r *http.Request, mediaType string, text []byte) {
	sum := sha256.Sum256(text)
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}
