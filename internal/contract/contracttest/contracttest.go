// Package contracttest makes documents of OpenAPI documents that tests write by hand. Those of the product are bundled
// by make generate.
package contracttest

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"

	"itemcast/internal/contract"
)

// Load loads a self-contained OpenAPI document in YAML.
func Load(text []byte) (*contract.Document, error) {
	asJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	return contract.Load(fstest.MapFS{"test.json": {Data: asJSON}, "test.yaml": {Data: text}}, "test")
}

// Document is Load for a document that the test expects to load.
func Document(t testing.TB, text []byte) *contract.Document {
	t.Helper()
	document, err := Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// File is Document for the text of a file.
func File(t testing.TB, path string) *contract.Document {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Document(t, text)
}
