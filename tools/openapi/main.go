// Command openapi bundles OpenAPI documents for the product: each becomes one self-contained document, as JSON and as
// YAML.
//
//	openapi DIR FILE...    writes DIR/NAME.json and DIR/NAME.yaml for each FILE, NAME.yaml
//
// It leaves out what only our own generator reads: x-go-…, x-omitempty, and the format int64, for which generators of
// clients choose types such as BigInt, although our numbers stay below 2⁵³. It adds application/json beside each
// application/merge-patch+json, because many clients send a PATCH under that type; our generator would make two bodies.
//
// Fields keep the order in which they were written: readers are shown them in that order.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pb33f/libopenapi/bundler"
	"github.com/pb33f/libopenapi/datamodel"
	"go.yaml.in/yaml/v3"
)

const banner = "# Bundled by make generate. Do not edit.\n"

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: openapi DIR FILE...")
	}
	for _, file := range os.Args[2:] {
		if err := write(os.Args[1], file); err != nil {
			log.Fatalf("bundle %s: %v", file, err)
		}
	}
}

func write(dir, file string) error {
	document, err := bundle(file)
	if err != nil {
		return err
	}
	strip(document)
	addPlainPatches(document)
	unwrap(document)
	var asYAML, compact, asJSON bytes.Buffer
	encoder := yaml.NewEncoder(&asYAML)
	encoder.SetIndent(2)
	if err := encoder.Encode(document); err != nil {
		return err
	}
	if err := encodeJSON(&compact, document); err != nil {
		return err
	}
	if err := json.Indent(&asJSON, compact.Bytes(), "", " "); err != nil {
		return err
	}
	asJSON.WriteByte('\n')
	to := filepath.Join(dir, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	if err := os.WriteFile(to+".json", asJSON.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(to+".yaml", append([]byte(banner), asYAML.Bytes()...), 0o644)
}

// bundle moves the components that the document refers to in other files into its own.
func bundle(file string) (*yaml.Node, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	config := datamodel.NewDocumentConfiguration()
	config.BasePath = filepath.Dir(file)
	config.AllowFileReferences = true
	config.ExtractRefsSequentially = true // the order of components must not depend on luck
	bundled, err := bundler.BundleBytesComposed(source, config, &bundler.BundleCompositionConfig{})
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(bundled, &document); err != nil {
		return nil, err
	}
	return &document, check(&document)
}

// check refuses a reference to another file, and a merge key (<<): the bundler leaves both as they are.
func check(node *yaml.Node) error {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			value := node.Content[i+1]
			switch {
			case child.Value == "<<":
				return fmt.Errorf("line %d: write the merged fields out", child.Line)
			case child.Value != "$ref" || value.Kind != yaml.ScalarNode:
			case !strings.HasPrefix(value.Value, "#/components/"):
				return fmt.Errorf("%s does not refer to a component", value.Value)
			}
		}
		if err := check(child); err != nil {
			return err
		}
	}
	return nil
}

// strip removes what only our own generator reads.
func strip(node *yaml.Node) {
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); {
			key, value := node.Content[i].Value, node.Content[i+1].Value
			if strings.HasPrefix(key, "x-go-") || key == "x-omitempty" || key == "format" && value == "int64" {
				node.Content = slices.Delete(node.Content, i, i+2)
				continue
			}
			i += 2
		}
	}
	for _, child := range node.Content {
		strip(child)
	}
}

const (
	mergePatch = "application/merge-patch+json"
	plain      = "application/json"
)

// addPlainPatches adds application/json after each merge patch, with the same schema.
func addPlainPatches(node *yaml.Node) {
	for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		if node.Content[i].Value != mergePatch {
			continue
		}
		key := *node.Content[i]
		key.Value = plain
		node.Content = slices.Insert(node.Content, i+2, &key, node.Content[i+1])
		break
	}
	for _, child := range node.Content {
		addPlainPatches(child)
	}
}

// unwrap writes an allOf of one schema as that schema. Sources have it to give a reference x-go-type.
func unwrap(node *yaml.Node) {
	for _, child := range node.Content {
		unwrap(child)
	}
	if node.Kind == yaml.MappingNode && len(node.Content) == 2 && node.Content[0].Value == "allOf" &&
		len(node.Content[1].Content) == 1 {
		*node = *node.Content[1].Content[0]
	}
}

func encodeJSON(out *bytes.Buffer, node *yaml.Node) error {
	switch node.Kind {
	case yaml.DocumentNode:
		return encodeJSON(out, node.Content[0])
	case yaml.MappingNode:
		return encodeList(out, "{}", len(node.Content)/2, func(i int) error {
			key, err := json.Marshal(node.Content[2*i].Value)
			if err != nil {
				return err
			}
			out.Write(key)
			out.WriteByte(':')
			return encodeJSON(out, node.Content[2*i+1])
		})
	case yaml.SequenceNode:
		return encodeList(out, "[]", len(node.Content), func(i int) error { return encodeJSON(out, node.Content[i]) })
	case yaml.ScalarNode:
		return encodeScalar(out, node)
	}
	return fmt.Errorf("line %d: cannot be written as JSON", node.Line)
}

func encodeList(out *bytes.Buffer, brackets string, n int, element func(i int) error) error {
	out.WriteByte(brackets[0])
	for i := range n {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := element(i); err != nil {
			return err
		}
	}
	out.WriteByte(brackets[1])
	return nil
}

func encodeScalar(out *bytes.Buffer, node *yaml.Node) error {
	var value any
	if err := node.Decode(&value); err != nil {
		return err
	}
	if node.Tag == "!!timestamp" { // an example without quotes
		value = node.Value
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
