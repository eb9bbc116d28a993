package browse

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// links knows which addresses are this server's.
type links struct {
	origin string // "https://items.example"; "" for none
	base   string // "/api/v1"
}

func newLinks(publicURL, base string) links {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return links{base: base}
	}
	return links{origin: u.Scheme + "://" + u.Host, base: base}
}

// maybe is a quick look at a JSON string, quotes included.
func (l links) maybe(raw []byte) bool {
	return len(raw) > 3 && (raw[1] == 'h' || raw[1] == '/') && raw[len(raw)-1] == '"' && bytes.IndexByte(raw, '/') > 0
}

// href is where a text leads to, when it is an address on this server: as a path, so that it leads there by whatever name the reader
// knows the server.
func (l links) href(text string) string {
	path := text
	if rest, ok := strings.CutPrefix(text, l.origin); ok && l.origin != "" {
		path = rest
	} else if !strings.HasPrefix(text, l.base+"/") {
		return ""
	}
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return ""
	}
	return u.String()
}

// headerHTML is a header's value, with links.
func (l links) headerHTML(name, value string) template.HTML {
	if name != "Link" && name != "Location" {
		return textHTML([]byte(value))
	}
	var out []byte
	for value != "" {
		end := strings.IndexAny(value[1:], "<>") + 1
		if end == 0 {
			end = len(value)
		}
		part := value[:end]
		text := strings.TrimPrefix(part, "<")
		if href := l.href(text); href != "" {
			out = appendEscaped(out, []byte(part[:len(part)-len(text)]))
			out = append(out, `<a href="`...)
			out = appendEscaped(out, []byte(href))
			out = append(out, `">`...)
			out = appendEscaped(out, []byte(text))
			out = append(out, `</a>`...)
		} else {
			out = appendEscaped(out, []byte(part))
		}
		value = value[end:]
	}
	return template.HTML(out) // escaped
}

// paged are the next and the previous page, of the Link header (RFC 8288).
func (l links) paged(h http.Header) (next, previous string) {
	for _, line := range h["Link"] {
		target, rest, ok := strings.Cut(strings.TrimPrefix(line, "<"), ">")
		switch {
		case !ok:
		case strings.Contains(rest, `rel="next"`):
			next = l.href(target)
		case strings.Contains(rest, `rel="prev"`):
			previous = l.href(target)
		}
	}
	return next, previous
}
