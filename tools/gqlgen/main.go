// Command gqlgen is gqlgen with a seam: before the generated code executes a selection of an item, or of a list of items, field by field, it
// asks the package graph/rendered for an answer.
package main

import (
	"fmt"
	"log"
	"os"
	"regexp"
	"slices"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	log.SetFlags(0)
	c, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		log.Fatal(err)
	}
	if err := api.Generate(c); err != nil {
		log.Fatal(err)
	}
	if err := sew(c.Exec.Filename); err != nil {
		log.Fatal(err)
	}
}

// seams are the heads of the generated functions that ask first, and what they ask.
var seams = []struct {
	head *regexp.Regexp
	ask  string
}{
	{regexp.MustCompile(`func \(ec \*executionContext\) _Item\(ctx context\.Context, sel ast\.SelectionSet, obj \*rendered\.Item\) graphql\.Marshaler \{\n`),
		"rendered.Select(ec.OperationContext, sel, obj)"},
	{regexp.MustCompile(`func \(ec \*executionContext\) marshalNItem2\S+ᚄ\(ctx context\.Context, sel ast\.SelectionSet, v \[\]\*rendered\.Item\) graphql\.Marshaler \{\n`),
		"rendered.SelectAll(ec.OperationContext, sel, v)"},
}

// sew gives the generated code its seams.
func sew(file string) error {
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, s := range seams {
		found := s.head.FindAllIndex(code, -1)
		if len(found) != 1 {
			return fmt.Errorf("%s has %d functions that match %s, where 1 was expected", file, len(found), s.head)
		}
		body := found[0][1]
		code = slices.Insert(code, body, fmt.Appendf(nil, "\tif answer := %s; answer != nil {\n\t\treturn answer\n\t}\n", s.ask)...)
	}
	return os.WriteFile(file, code, 0o644)
}
