package browse

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/google/uuid"
)

// links knows which addresses are this server's.
type links struct {
	origin string            // "https://items.example"; "" for none
	base   string            // "/api/v1"
	named  map[string]string // where what a member of this name names is read: /roles/{id}, or /{path}
}

func newLinks(publicURL string, d *document) links {
	l := links{base: d.base, named: d.named}
	if u, err := url.Parse(publicURL); err == nil && u.Host != "" {
		l.origin = u.Scheme + "://" + u.Host
	}
	return l
}

// naming is where a UUID leads to, or a path that ends with one, as the value of a member that names something; "" for any other.
func (l links) naming(pattern, value string) string {
	before, last := "", value
	if at := strings.LastIndexByte(value, '/'); at >= 0 {
		before, last = value[:at+1], value[at+1:]
	}
	if pattern == "" || uuid.Validate(last) != nil || len(last) != 36 {
		return ""
	}
	switch base, variable, _ := strings.Cut(pattern, "{"); {
	case variable == "path}" && path.Clean("/"+before)+"/" == "/"+before && strings.Trim(before, "abcdefghijklmnopqrstuvwxyz-/") == "":
	case before == "":
		return l.base + base + last
	default:
		return ""
	}
	return l.base + "/" + value
}

// maybe is a quick look at a JSON string, quotes included.
func (l links) maybe(raw []byte) bool {
	return len(raw) > 3 && (raw[1] == 'h' || raw[1] == '/') && raw[len(raw)-1] == '"' && bytes.IndexByte(raw, '/') > 0
}

// href is where a text leads to, when it is an address on this server: as a path, so that it leads there by whatever name the reader
// knows the server.
func (l links) href(text string) string {
	address := text
	if rest, ok := strings.CutPrefix(text, l.origin); ok && l.origin != "" {
		address = rest
	} else if !strings.HasPrefix(text, l.base+"/") {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
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
