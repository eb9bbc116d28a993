package graph

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// serveSchema serves the schema as one file, for tools that cannot introspect.
func serveSchema(schema *ast.Schema) http.Handler {
	file := printed(schema)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8") // so that browsers show it
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(file))
	})
}

// printed prints a schema without what every tool knows: the types and directives of the specification. @defer is not
// yet one of these.
func printed(schema *ast.Schema) string {
	deferred := *schema.Directives["defer"]
	deferred.Position = nil // else it counts as built in
	var out bytes.Buffer
	write := formatter.NewFormatter(&out, formatter.WithIndent("  ")).FormatSchemaDocument
	write(&ast.SchemaDocument{Directives: ast.DirectiveDefinitionList{&deferred}})
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		if definition := schema.Types[name]; !definition.BuiltIn {
			out.WriteByte('\n')
			write(&ast.SchemaDocument{Definitions: ast.DefinitionList{definition}})
		}
	}
	return out.String()
}
