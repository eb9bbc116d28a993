package form

import (
	"embed"
	"html/template"
	"strings"
)

// The names of controls that are not fields.
const (
	methodName  = "_method"
	contentName = "_content"      // of the raw editor: the body
	typeName    = "_content_type" // of the raw editor: the media type
	etagName    = "_etag"         // of the representation that filled the form
	wasName     = "_was"          // that representation: a PATCH sends what differs from it
	keyName     = "_key"          // new for each form shown, so that a form sent twice takes effect once

	// FilterName marks the query of a filter form, which CleanQuery shortens.
	FilterName = "_filter"
	pairKey    = "_key."   // and a prefix: the names typed below it
	pairValue  = "_value." // and a prefix: their values
)

// The prefixes of the names of fields say where a value is sent.
const (
	bodyPrefix   = "body."
	queryPrefix  = "query."
	headerPrefix = "header."
)

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{"lower": strings.ToLower}).
	ParseFS(files, "templates/*.html"))

// Templates returns the templates "draft" and "input", and those that they use. A page adds its own templates to them.
func Templates() *template.Template { return template.Must(templates.Clone()) }
