package browse

import "html/template"

// textHTML returns text as HTML.
func textHTML(text []byte) template.HTML {
	return template.HTML(appendEscaped(make([]byte, 0, len(text)+len(text)/8), text)) // escaped
}

func appendLink(out []byte, href string, text []byte) []byte {
	out = append(out, `<a href="`...)
	out = appendEscaped(out, []byte(href))
	out = append(out, `">`...)
	out = appendEscaped(out, text)
	return append(out, `</a>`...)
}

// appendEscaped escapes text so that a browser reads exactly it. A carriage return, too, would otherwise become a line
// feed.
func appendEscaped(out, text []byte) []byte {
	last := 0
	for i, c := range text {
		var entity string
		switch c {
		case '<':
			entity = "&lt;"
		case '>':
			entity = "&gt;"
		case '&':
			entity = "&amp;"
		case '"':
			entity = "&#34;"
		case '\'':
			entity = "&#39;"
		case '\r':
			entity = "&#13;"
		default:
			continue
		}
		out = append(out, text[last:i]...)
		out = append(out, entity...)
		last = i + 1
	}
	return append(out, text[last:]...)
}
