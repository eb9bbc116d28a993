package browse

import (
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/google/uuid"

	"itemcast/internal/browse/spec"
	"itemcast/internal/publicurl"
)

// links finds the addresses of this server in answers.
type links struct {
	origin string            // "https://items.example"; "" for none
	base   string            // "/api/v1", below the path of the public URL
	named  map[string]string // see spec.Document.Links; "/{path}" is a value that is a path itself
}

func newLinks(publicURL string, d *spec.Document) links {
	l := links{base: d.Base, named: d.Links}
	l.origin = publicurl.Origin(publicURL)
	return l
}

// href returns the path of a text that is a URL of this server. As a path it works under any name by which the reader
// reaches the server. It returns "" for any other text.
func (l links) href(text string) string {
	address := text
	if rest, ours := strings.CutPrefix(text, l.origin); ours && l.origin != "" {
		address = rest
	} else if !strings.HasPrefix(text, l.base+"/") {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" ||
		!strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return ""
	}
	return u.String()
}

// identified returns the address that reads what a value identifies: a UUID, or a path that ends with one. It returns
// "" for any other value. pattern is the property's, "" for none.
func (l links) identified(pattern, value string) string {
	above, id := "", value
	if at := strings.LastIndexByte(value, '/'); at >= 0 {
		above, id = value[:at+1], value[at+1:]
	}
	if pattern == "" || len(id) != 36 || uuid.Validate(id) != nil {
		return ""
	}
	prefix, variable, _ := strings.Cut(pattern, "{")
	switch {
	case variable == "path}" && isPlainPath(above):
		return l.base + "/" + value
	case above == "":
		return l.base + prefix + id + variable[strings.IndexByte(variable, '}')+1:]
	}
	return ""
}

// isPlainPath reports whether a text is the beginning of a path that needs no escapes and has no dots.
func isPlainPath(above string) bool {
	return path.Clean("/"+above)+"/" == "/"+above && strings.Trim(above, "abcdefghijklmnopqrstuvwxyz-/") == ""
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
			out = appendLink(out, href, []byte(text))
		} else {
			out = appendEscaped(out, []byte(part))
		}
		value = value[end:]
	}
	return template.HTML(out) // escaped
}

// paged returns the next and the previous page of a Link header (RFC 8288).
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
