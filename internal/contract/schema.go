package contract

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// documentURL names the document for the schema compiler. Nothing fetches it.
const documentURL = "https://itemcast.invalid/openapi.json"

// Schema is a compiled schema of a document. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
	patterns map[string]string // x-pattern-detail, by pattern

	objectsOnce sync.Once
	objects     map[string]*jsonschema.Schema // by location; made for the first client that needs advice
}

// Check reads data as strict JSON and checks it. Errors: INVALID_JSON, and INVALID_INPUT with every fault.
func (s *Schema) Check(data []byte) *problem.Error {
	value, err := strictjson.Parse(data, strictjson.Limits{})
	if err != nil {
		return err
	}
	return problem.Of(s.faults(value).Err(problem.InvalidInput))
}

func (s *Schema) faults(value any) problem.Faults {
	var faults problem.Faults
	violations := s.violations(value)
	for _, v := range violations[:min(len(violations), problem.MaxFaults)] {
		faults.At(strictjson.Pointer(v.at...), v.detail+s.advice(v))
	}
	return faults
}

func (s *Schema) violations(value any) []violation {
	err := s.compiled.Validate(composed(value))
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []violation{{detail: "cannot be checked"}}
	}
	violations := violationsOf(invalid)
	for i, v := range violations {
		if v.pattern != "" {
			violations[i].detail = s.patterns[v.pattern]
		}
	}
	slices.SortStableFunc(violations, violation.compare)
	return slices.CompactFunc(violations, func(a, b violation) bool {
		return a.compare(b) == 0 && a.detail == b.detail
	})
}

// composed composes the text in a value, in place, as services store it: limits count the characters that remain.
func composed(value any) any {
	switch value := value.(type) {
	case string:
		return plaintext.Composed(value)
	case []any:
		for i, element := range value {
			value[i] = composed(element)
		}
	case map[string]any:
		for name, member := range value {
			if text, ok := member.(string); !ok || !plaintext.IsComposed(text) {
				value[name] = composed(member)
			}
		}
	}
	return value
}

// compiler compiles the schemas of one document.
type compiler struct {
	root     any // the document
	schema   *jsonschema.Compiler
	patterns map[string]string // x-pattern-detail, by pattern
}

func newCompiler(document []byte) (*compiler, error) {
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	boundIntegers(root)
	c := &compiler{root: root, schema: jsonschema.NewCompiler(), patterns: map[string]string{}}
	if err := c.readPatterns(root); err != nil {
		return nil, err
	}
	c.schema.DefaultDraft(jsonschema.Draft2020)
	c.schema.AssertFormat()
	for _, format := range formats {
		c.schema.RegisterFormat(format)
	}
	return c, c.schema.AddResource(documentURL, root)
}

// compile compiles the schema at a JSON Pointer into the document.
func (c *compiler) compile(pointer string) (*Schema, error) {
	compiled, err := c.schema.Compile(documentURL + "#" + (&url.URL{Path: pointer}).EscapedPath())
	if err != nil {
		return nil, fmt.Errorf("compile the schema at %s: %w", pointer, err)
	}
	return &Schema{compiled: compiled, patterns: c.patterns}, nil
}

// readPatterns collects the x-pattern-detail of each pattern, because people cannot read regular expressions.
func (c *compiler) readPatterns(node any) error {
	switch node := node.(type) {
	case map[string]any:
		if pattern, ok := node["pattern"].(string); ok {
			detail, _ := node["x-pattern-detail"].(string)
			if known, ok := c.patterns[pattern]; detail == "" || ok && known != detail {
				return fmt.Errorf("the pattern %s needs an x-pattern-detail, and the same everywhere", pattern)
			}
			c.patterns[pattern] = detail
		}
		for _, child := range node {
			if err := c.readPatterns(child); err != nil {
				return err
			}
		}
	case []any:
		for _, child := range node {
			if err := c.readPatterns(child); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow resolves the reference at a JSON Pointer. Without one there, it returns the pointer.
func (c *compiler) follow(pointer string) string {
	node := c.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch at := node.(type) {
		case map[string]any:
			node = at[token]
		case []any:
			var i int
			if _, err := fmt.Sscan(token, &i); err != nil || i >= len(at) {
				return pointer
			}
			node = at[i]
		}
	}
	if object, ok := node.(map[string]any); ok {
		if ref, ok := object["$ref"].(string); ok {
			return c.follow(strings.TrimPrefix(ref, "#"))
		}
	}
	return pointer
}
