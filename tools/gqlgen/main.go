// Command gqlgen is gqlgen with a hook for speed: the generated code asks package graph/rendered for an item, or a list
// of items, before it resolves the selection field by field. Package rendered answers plain selections from the
// document's own bytes.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
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
	if err := insertShortcuts(c.Exec.DirName); err != nil {
		log.Fatal(err)
	}
}

// shortcut is a call that is inserted at the head of a generated function. The function returns its answer unless that
// is nil.
type shortcut struct {
	head *regexp.Regexp // of the function
	call string
}

var shortcuts = []shortcut{
	{
		regexp.MustCompile(`func \(ec \*executionContext\) _Item\(ctx context\.Context, sel ast\.SelectionSet, ` +
			`obj \*rendered\.Item\) graphql\.Marshaler \{\n`),
		"rendered.Select(ec.OperationContext, sel, obj)",
	},
	{
		regexp.MustCompile(`func \(ec \*executionContext\) marshalNItem2\S+ᚄ\(ctx context\.Context, ` +
			`sel ast\.SelectionSet, v \[\]\*rendered\.Item\) graphql\.Marshaler \{\n`),
		"rendered.SelectAll(ec.OperationContext, sel, v)",
	},
}

// insertShortcuts inserts each shortcut into the one generated file that has its function.
func insertShortcuts(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.generated.go"))
	if err != nil {
		return err
	}
	for _, s := range shortcuts {
		inserted := 0
		for _, file := range files {
			n, err := s.insert(file)
			if err != nil {
				return err
			}
			inserted += n
		}
		if inserted != 1 {
			return fmt.Errorf("%s has %d functions that match %s; want 1", dir, inserted, s.head)
		}
	}
	return nil
}

// insert returns how many functions of the file it changed.
func (s shortcut) insert(file string) (int, error) {
	code, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	found := s.head.FindAllIndex(code, -1)
	for _, f := range slices.Backward(found) {
		inserted := fmt.Appendf(nil, "\tif answer := %s; answer != nil {\n\t\treturn answer\n\t}\n", s.call)
		code = slices.Insert(code, f[1], inserted...)
	}
	if len(found) == 0 {
		return 0, nil
	}
	return len(found), os.WriteFile(file, code, 0o644)
}
