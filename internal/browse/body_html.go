package browse

import (
	"cmp"
	"encoding/json"
	"html/template"
	"strings"
)

// A JSON text is laid out by style alone: spans are shown as indented blocks, and no character is added, so that the page's text is what
// the API sent, byte for byte. White space between tokens is collapsed by the style.
const (
	openMembers  = `<span class=b><span class=m>`
	closeMembers = `</span></span>`
	nextMember   = `</span><span class=m>`
)

// jsonHTML writes a JSON text, also one that has been cut off, with the addresses of this server as links, and what names something that is
// read there; rows is where the elements of a list are. It copes with what is no JSON.
func jsonHTML(text []byte, site links, rows string) template.HTML {
	w := jsonWriter{out: make([]byte, 0, 3*len(text)+1024), text: text, site: site, rows: rows}
	for w.at < len(text) {
		w.token()
	}
	for range w.open {
		w.out = append(w.out, closeMembers...)
	}
	return template.HTML(w.out) // everything from the text is escaped
}

type jsonWriter struct {
	out  []byte
	text []byte
	at   int
	open []byte // the brackets that are open and have members
	key  bool   // a string that comes now is a name
	name []byte // the last one, with its quotes
	rows string
	site links
}

func (w *jsonWriter) token() {
	switch c := w.text[w.at]; c {
	case '{', '[':
		w.out = append(w.out, c)
		w.at++
		if !w.closesAtOnce() {
			w.out = append(w.out, openMembers...)
			w.open = append(w.open, c)
			w.key = c == '{'
		}
	case '}', ']':
		if len(w.open) > 0 && w.open[len(w.open)-1] == c-2 { // '{' and '}', '[' and ']' are two apart
			w.open = w.open[:len(w.open)-1]
			w.out = append(w.out, closeMembers...)
		}
		w.out = append(w.out, c)
		w.at++
		w.key = false
	case ',':
		w.out = append(w.out, c)
		w.at++
		if len(w.open) > 0 {
			w.out = append(w.out, nextMember...)
			w.key = w.open[len(w.open)-1] == '{'
		}
	case ':':
		w.span("c", w.text[w.at:w.at+1])
		w.key = false
	case '"':
		w.string()
	case ' ', '\t', '\n', '\r':
		w.out = appendEscaped(w.out, w.text[w.at:w.at+1])
		w.at++
	default:
		end := w.at + 1
		for end < len(w.text) && !strings.ContainsRune(" \t\r\n,]}:\"", rune(w.text[end])) {
			end++
		}
		class := "n"
		if c >= 'a' && c <= 'z' {
			class = "l"
		}
		w.span(class, w.text[w.at:end])
	}
}

// closesAtOnce writes the rest of {} or [].
func (w *jsonWriter) closesAtOnce() bool {
	end := w.at
	for end < len(w.text) && strings.ContainsRune(" \t\r\n", rune(w.text[end])) {
		end++
	}
	if end == len(w.text) || w.text[end] != '}' && w.text[end] != ']' {
		return false
	}
	w.out = appendEscaped(w.out, w.text[w.at:end+1])
	w.at = end + 1
	return true
}

func (w *jsonWriter) string() {
	end := w.at + 1
	for end < len(w.text) && w.text[end] != '"' {
		if w.text[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end+1, len(w.text))
	raw := w.text[w.at:end]
	switch {
	case w.key:
		w.name = raw
		w.span("k", raw)
	case w.site.maybe(raw) || len(raw) >= 38 && w.pattern() != "":
		var text string
		if json.Unmarshal(raw, &text) == nil {
			if href := cmp.Or(w.site.href(text), w.site.naming(w.pattern(), text)); href != "" {
				w.out = append(w.out, `<span class=s>"<a href="`...)
				w.out = appendEscaped(w.out, []byte(href))
				w.out = append(w.out, `">`...)
				w.out = appendEscaped(w.out, raw[1:len(raw)-1])
				w.out = append(w.out, `</a>"</span>`...)
				w.at = end
				return
			}
		}
		w.span("s", raw)
	default:
		w.span("s", raw)
	}
}

// pattern is where what the value that comes now may name is read; "" for nowhere.
func (w *jsonWriter) pattern() string {
	if len(w.name) < 3 {
		return ""
	}
	name := w.name[1 : len(w.name)-1]
	if string(name) == "id" && len(w.open) == 3 { // of an object in the results of an object
		return w.rows
	}
	return w.site.named[string(name)]
}

func (w *jsonWriter) span(class string, raw []byte) {
	w.out = append(w.out, `<span class=`...)
	w.out = append(w.out, class...)
	w.out = append(w.out, '>')
	w.out = appendEscaped(w.out, raw)
	w.out = append(w.out, `</span>`...)
	w.at += len(raw)
}

// textHTML is any other text.
func textHTML(text []byte) template.HTML {
	return template.HTML(appendEscaped(make([]byte, 0, len(text)+len(text)/8), text)) // escaped
}

// appendEscaped writes text so that a browser reads exactly it: a carriage return too, which would else become a line feed.
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
