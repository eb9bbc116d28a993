package spec

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// commonMark renders the descriptions of a document, which OpenAPI defines as CommonMark. By default, goldmark leaves
// out raw HTML and dangerous links. Columns are aligned by attribute, as our Content-Security-Policy forbids inline
// styles.
var commonMark = goldmark.New(goldmark.WithExtensions(
	extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
))

// block renders a description as paragraphs.
func block(text string) template.HTML {
	if text == "" {
		return ""
	}
	var out bytes.Buffer
	if err := commonMark.Convert([]byte(text), &out); err != nil { // cannot happen: a buffer takes everything
		return template.HTML(template.HTMLEscapeString(text)) // escaped
	}
	return template.HTML(out.String()) // escaped by goldmark
}

// inline renders a description of one paragraph without the paragraph's tags, to stand in a line.
func inline(text string) template.HTML {
	out := strings.TrimSpace(string(block(text)))
	if within, ok := strings.CutPrefix(out, "<p>"); ok && strings.Count(out, "<p>") == 1 {
		if within, ok = strings.CutSuffix(within, "</p>"); ok {
			return template.HTML(within) // escaped by goldmark
		}
	}
	return template.HTML(out) // escaped by goldmark
}
