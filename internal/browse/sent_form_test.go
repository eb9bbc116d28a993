package browse_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

var (
	control  = regexp.MustCompile(`(?s)<(input|select|textarea)\b([^>]*?) name="([^"]+)"([^>]*)>`)
	selected = regexp.MustCompile(`(?s)<option selected>([^<]*)`)
	value    = regexp.MustCompile(`value="([^"]*)"`)
)

// The forms of an operation on a page.
const (
	fieldsForm = 0
	rawForm    = 1
)

// form returns a form of an operation as a browser would send it untouched.
func (p page) form(operation string, which int) url.Values {
	p.t.Helper()
	values := url.Values{}
	rest := p.formHTML(operation, which)
	for {
		at := control.FindStringSubmatchIndex(rest)
		if at == nil {
			return values
		}
		group := func(i int) string { return rest[at[2*i]:at[2*i+1]] }
		kind, attributes, name := group(1), group(2)+group(4), html.UnescapeString(group(3))
		after := rest[at[1]:]
		switch {
		case kind == "textarea":
			values.Add(name, textAreaValue(after))
		case kind == "select":
			values.Add(name, selectValue(after))
		case !strings.Contains(attributes, `type="checkbox"`) || strings.Contains(attributes, "checked"):
			values.Add(name, first(value, attributes))
		}
		rest = after
	}
}

func (p page) formHTML(operation string, which int) string {
	p.t.Helper()
	const start = `<details class="panel action`
	_, rest, found := strings.Cut(p.text, start)
	for found && !strings.Contains(rest[:strings.IndexByte(rest, '>')], `id="`+operation+`"`) {
		_, rest, found = strings.Cut(rest, start)
	}
	for range which + 1 {
		_, rest, _ = strings.Cut(rest, "<form")
	}
	form, _, ended := strings.Cut(rest, "</form>")
	if !found || !ended {
		p.t.Fatalf("the page has no form %s: %s", operation, p.excerpt())
	}
	return form
}

// textAreaValue normalizes line breaks and drops the first one, as browsers do.
func textAreaValue(after string) string {
	text, _, _ := strings.Cut(after, "</textarea>")
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\n"), "\r\n", "\n")
	return strings.ReplaceAll(html.UnescapeString(text), "\n", "\r\n")
}

func selectValue(after string) string {
	options, _, _ := strings.Cut(after, "</select>")
	return first(selected, options)
}

func first(pattern *regexp.Regexp, text string) string {
	if match := pattern.FindStringSubmatch(text); match != nil {
		return html.UnescapeString(match[1])
	}
	return ""
}
