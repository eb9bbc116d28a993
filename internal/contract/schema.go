package contract

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"itemcast/internal/problem"
	"itemcast/internal/strictjson"
)

// place is where the compiler believes the document to be; it is never fetched.
const place = "https://itemcast.invalid/openapi.json"

// Schema is a compiled schema of a document. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
	patterns map[string]string // what to tell of a text that does not match
}

// Validate reads data strictly and returns its faults, at most a hundred; nil when it is as the schema wants it.
func (s *Schema) Validate(data []byte) problem.Faults {
	err := s.Check(data)
	switch {
	case err == nil:
		return nil
	case len(err.Faults) == 0:
		return problem.Faults{{Pointer: "#", Detail: err.Detail}}
	}
	return err.Faults
}

// Check is Validate with the code: INVALID_JSON, or INVALID_INPUT.
func (s *Schema) Check(data []byte) *problem.Error {
	value, err := strictjson.Parse(data, strictjson.Limits{})
	if err != nil {
		return err
	}
	return problem.Of(s.faults(value).Err(problem.InvalidInput))
}

func (s *Schema) faults(value any) problem.Faults {
	var faults problem.Faults
	flaws := s.flaws(value)
	for _, f := range flaws[:min(len(flaws), problem.MaxFaults)] {
		faults.At(strictjson.Pointer(f.at...), f.detail)
	}
	return faults
}

func (s *Schema) flaws(value any) []flaw {
	err := s.compiled.Validate(value)
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []flaw{{detail: "cannot be checked"}}
	}
	flaws := flawsOf(invalid)
	for i, f := range flaws {
		if f.pattern != "" {
			flaws[i].detail = s.patterns[f.pattern]
		}
	}
	slices.SortStableFunc(flaws, flaw.compare)
	return slices.CompactFunc(flaws, func(a, b flaw) bool { return a.compare(b) == 0 && a.detail == b.detail })
}

// compiler compiles the schemas of one document.
type compiler struct {
	root     any // the document, as JSON
	schema   *jsonschema.Compiler
	patterns map[string]string // what to tell of a text that does not match
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
	return c, c.schema.AddResource(place, root)
}

// compile compiles the schema at a JSON pointer of the document.
func (c *compiler) compile(pointer string) (*Schema, error) {
	compiled, err := c.schema.Compile(place + "#" + (&url.URL{Path: pointer}).EscapedPath())
	if err != nil {
		return nil, fmt.Errorf("compile the schema at %s: %w", pointer, err)
	}
	return &Schema{compiled: compiled, patterns: c.patterns}, nil
}

// readPatterns notes what x-pattern-detail says of each pattern: a regular expression is nothing to show to people.
func (c *compiler) readPatterns(node any) error {
	switch node := node.(type) {
	case map[string]any:
		if pattern, ok := node["pattern"].(string); ok {
			detail, _ := node["x-pattern-detail"].(string)
			if told, ok := c.patterns[pattern]; detail == "" || ok && told != detail {
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

// follow returns the pointer to what is really at the pointer, should there be a reference.
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
