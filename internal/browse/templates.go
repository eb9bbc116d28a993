package browse

import (
	"embed"
	"fmt"
	"html/template"
	"strings"

	"itemcast/internal/browse/form"
)

//go:embed templates
var files embed.FS

var templates = template.Must(form.Templates().Funcs(template.FuncMap{
	"size":  size,
	"words": func(name string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(name) },
}).ParseFS(files, "templates/*.html"))

// render executes a template at start.
func render(name string, data any) (string, error) {
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, name, data); err != nil {
		return "", fmt.Errorf("render %s: %w", name, err)
	}
	return out.String(), nil
}
