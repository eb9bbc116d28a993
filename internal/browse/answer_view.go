package browse

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"

	"itemcast/internal/browse/spec"
)

// answerView is an answer of the API, as a page shows it.
type answerView struct {
	Status   int
	Text     string
	Class    string // "ok", "moved" or "bad"
	Took     string // "" when nothing was measured
	Headers  []headerView
	Body     template.HTML
	IsJSON   bool
	IsBinary bool
	IsCut    bool
	Shown    int // bytes
	Size     int // bytes; 0 when unknown
}

type headerView struct {
	Name  string
	Value template.HTML
}

// answerView describes an answer. op is the operation that the page is about, or nil.
func (p *Pages) answerView(answer *recorder, op *spec.Operation) answerView {
	text, cut := answer.text()
	v := answerView{
		Status: answer.status, Text: http.StatusText(answer.status), Class: class(answer.status),
		Took: milliseconds(answer.took), IsJSON: answer.isJSON && text != nil, IsBinary: text == nil && answer.size > 0,
		IsCut: cut, Shown: len(text), Size: answer.size,
	}
	if answer.cutOff {
		v.Size = 0
	}
	if v.IsJSON {
		v.Body = jsonHTML(text, p.links, op)
	} else {
		v.Body = textHTML(text)
	}
	for name, values := range answer.header {
		for _, value := range values {
			v.Headers = append(v.Headers, headerView{name, p.links.headerHTML(name, value)})
		}
	}
	slices.SortStableFunc(v.Headers, func(a, b headerView) int { return cmp.Compare(a.Name, b.Name) })
	return v
}

func class(status int) string {
	switch {
	case status >= 400:
		return "bad"
	case status >= 300:
		return "moved"
	}
	return "ok"
}

func milliseconds(took time.Duration) string {
	if took == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", float64(took)/float64(time.Millisecond))
}

func size(bytes int) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1_000_000)
}
