package browse

import (
	"bytes"
	"cmp"
	"encoding/json"
	"html/template"
	"strings"

	"itemcast/internal/browse/spec"
)

// JSON is laid out by style alone: spans are shown as indented blocks, and no character is added, so that the text of
// the page is what the API sent, byte for byte. The style collapses white space between tokens.
const (
	openMembers  = `<span class=b><span class=m>`
	closeMembers = `</span></span>`
	nextMember   = `</span><span class=m>`
)

// jsonHTML returns JSON with the addresses of this server, and the values that identify something here, as links.
// op is the operation that answered with it, or nil. The text may be JSON that was cut off, or no JSON.
func jsonHTML(text []byte, site links, op *spec.Operation) template.HTML {
	w := jsonWriter{out: make([]byte, 0, 3*len(text)+1024), text: text, site: site}
	if op != nil {
		w.rows, w.cells = op.Rows, op.Cells
	}
	for w.at < len(text) {
		w.token()
	}
	for range w.open {
		w.out = append(w.out, closeMembers...)
	}
	return template.HTML(w.out) // everything from the text is escaped
}

type jsonWriter struct {
	out    []byte
	text   []byte
	at     int
	open   []byte            // the open brackets that have members
	atName bool              // a string here is a name
	name   []byte            // the last name, with its quotes
	rows   string            // see spec.Operation
	cells  map[string]string // see spec.Operation
	site   links
}

const space = " \t\r\n"

func (w *jsonWriter) token() {
	switch c := w.text[w.at]; c {
	case '{', '[':
		w.openBracket(c)
	case '}', ']':
		w.closeBracket(c)
	case ',':
		w.out = append(w.out, c)
		w.at++
		if len(w.open) > 0 {
			w.out = append(w.out, nextMember...)
			w.atName = w.open[len(w.open)-1] == '{'
		}
	case ':':
		w.span("c", w.text[w.at:w.at+1])
		w.atName = false
	case '"':
		w.string()
	case ' ', '\t', '\n', '\r':
		w.out = appendEscaped(w.out, w.text[w.at:w.at+1])
		w.at++
	default:
		w.literal(c)
	}
}

func (w *jsonWriter) openBracket(c byte) {
	w.out = append(w.out, c)
	w.at++
	if !w.closesAtOnce() {
		w.out = append(w.out, openMembers...)
		w.open = append(w.open, c)
		w.atName = c == '{'
	}
}

// closesAtOnce reports whether an object or array is empty, and then writes the rest of it.
func (w *jsonWriter) closesAtOnce() bool {
	end := w.at
	for end < len(w.text) && strings.IndexByte(space, w.text[end]) >= 0 {
		end++
	}
	if end == len(w.text) || w.text[end] != '}' && w.text[end] != ']' {
		return false
	}
	w.out = appendEscaped(w.out, w.text[w.at:end+1])
	w.at = end + 1
	return true
}

func (w *jsonWriter) closeBracket(c byte) {
	if len(w.open) > 0 && w.open[len(w.open)-1] == c-2 { // in ASCII, '{' and '}' are two apart, as are '[' and ']'
		w.open = w.open[:len(w.open)-1]
		w.out = append(w.out, closeMembers...)
	}
	w.out = append(w.out, c)
	w.at++
	w.atName = false
}

// literal writes a number, true, false or null.
func (w *jsonWriter) literal(first byte) {
	end := w.at + 1
	for end < len(w.text) && strings.IndexByte(space+`,]}:"`, w.text[end]) < 0 {
		end++
	}
	class := "n"
	if first >= 'a' && first <= 'z' {
		class = "l"
	}
	w.span(class, w.text[w.at:end])
}

func (w *jsonWriter) string() {
	end := w.at + 1
	for end < len(w.text) && w.text[end] != '"' {
		if w.text[end] == '\\' {
			end++
		}
		end++
	}
	raw := w.text[w.at:min(end+1, len(w.text))]
	if w.atName {
		w.name = raw
		w.span("k", raw)
		return
	}
	href := w.href(raw)
	if href == "" {
		w.span("s", raw)
		return
	}
	w.out = append(w.out, `<span class=s>"`...)
	w.out = appendLink(w.out, href, raw[1:len(raw)-1])
	w.out = append(w.out, `"</span>`...)
	w.at += len(raw)
}

// href returns the address to which a value leads; "" for none. It decodes only the few values that may have one.
func (w *jsonWriter) href(raw []byte) string {
	const quotedUUID = 36 + 2
	pattern := ""
	if len(raw) >= quotedUUID {
		pattern = w.pattern()
	}
	if pattern == "" && !mayBeAddress(raw) {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return cmp.Or(w.site.href(text), w.site.identified(pattern, text))
}

// mayBeAddress reports cheaply whether a quoted string can be an address.
func mayBeAddress(raw []byte) bool {
	return len(raw) > 3 && (raw[1] == 'h' || raw[1] == '/') && raw[len(raw)-1] == '"' && bytes.IndexByte(raw, '/') > 0
}

// pattern returns the path that reads what the value here identifies; "" for none.
func (w *jsonWriter) pattern() string {
	if len(w.name) < 3 {
		return ""
	}
	name := w.name[1 : len(w.name)-1]
	if string(name) == "id" && len(w.open) == 3 { // of an element in the results of a list
		return w.rows
	}
	return cmp.Or(w.cells[string(name)], w.site.named[string(name)])
}

func (w *jsonWriter) span(class string, raw []byte) {
	w.out = append(w.out, `<span class=`...)
	w.out = append(w.out, class...)
	w.out = append(w.out, '>')
	w.out = appendEscaped(w.out, raw)
	w.out = append(w.out, `</span>`...)
	w.at += len(raw)
}
