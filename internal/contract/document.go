package contract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Document is an OpenAPI document: what is served of it, and its schemas, compiled.
type Document struct {
	name     string
	json     []byte
	yaml     []byte
	spec     *openapi3.T
	compiler *compiler
	schemas  map[string]*Schema
}

// Load reads the document of that name, bundles what it refers to in other files, and validates the whole.
func Load(files fs.FS, name string) (*Document, error) {
	bundled, err := bundle(files, name)
	if err != nil {
		return nil, err
	}
	d := &Document{name: name, schemas: map[string]*Schema{}}
	if d.json, err = encodeJSON(bundled); err != nil {
		return nil, fmt.Errorf("encode the contract %s: %w", name, err)
	}
	if d.yaml, err = encodeYAML(bundled); err != nil {
		return nil, fmt.Errorf("encode the contract %s: %w", name, err)
	}
	loader := openapi3.NewLoader() // refuses references to other files
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

// JSON is the bundled document. The caller must not change it.
func (d *Document) JSON() []byte { return d.json }

// YAML is the bundled document. The caller must not change it.
func (d *Document) YAML() []byte { return d.yaml }

// Spec is the bundled document, its references resolved. The caller must not change it.
func (d *Document) Spec() *openapi3.T { return d.spec }

// Base is the path below which the document's operations are: that of its first server, such as "/api/v1".
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

// Schema finds a schema by the name of its component. It panics when there is none: names are known when the program is written.
func (d *Document) Schema(name string) *Schema {
	schema, ok := d.schemas[name]
	if !ok {
		panic(fmt.Sprintf("contract: %s has no schema %q", d.name, name))
	}
	return schema
}

// ServeJSON serves the bundled document, with an ETag.
func (d *Document) ServeJSON(w http.ResponseWriter, r *http.Request) {
	serveText(w, r, "application/json", d.json)
}

// ServeYAML serves the bundled document, with an ETag.
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
