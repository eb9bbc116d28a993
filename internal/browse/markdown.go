package browse

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// commonMark renders what documents say (OpenAPI: CommonMark). It leaves raw HTML and dangerous links out, which is goldmark's default; and
// aligns columns without style attributes, which our Content-Security-Policy forbids.
var commonMark = goldmark.New(goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))))

func markdown(text string) template.HTML {
	if text == "" {
		return ""
	}
	var out bytes.Buffer
	if err := commonMark.Convert([]byte(text), &out); err != nil { // a buffer takes everything
		return template.HTML(template.HTMLEscapeString(text)) // escaped
	}
	return template.HTML(out.String()) // goldmark has escaped it
}

// inline is markdown for a line: a single paragraph without its tag.
func inline(text string) template.HTML {
	out := strings.TrimSpace(string(markdown(text)))
	if within, ok := strings.CutPrefix(out, "<p>"); ok && strings.Count(out, "<p>") == 1 {
		if within, ok = strings.CutSuffix(within, "</p>"); ok {
			return template.HTML(within) // goldmark has escaped it
		}
	}
	return template.HTML(out) // goldmark has escaped it
}
