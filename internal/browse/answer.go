package browse

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"time"
)

type answerView struct {
	Status  int
	Text    string
	Class   string // ok, moved, bad
	Took    string
	Headers []headerView
	Body    template.HTML
	IsJSON  bool
	Binary  bool
	Cut     bool
	Shown   int
	Size    int // 0 when it is not known
}

type headerView struct {
	Name  string
	Value template.HTML
}

// answer describes what the API answered.
func (p *pages) answer(op *operation, rec *record) answerView {
	text, cut := rec.shown()
	v := answerView{Status: rec.status, Text: http.StatusText(rec.status), Class: "ok", Took: milliseconds(rec.took),
		IsJSON: rec.isJSON && text != nil, Binary: text == nil && rec.size > 0, Cut: cut, Shown: len(text), Size: rec.size}
	switch {
	case rec.status >= 400:
		v.Class = "bad"
	case rec.status >= 300:
		v.Class = "moved"
	}
	if rec.broken {
		v.Size = 0
	}
	if v.IsJSON {
		v.Body = jsonHTML(text, p.links, op.rowsAt())
	} else {
		v.Body = textHTML(text)
	}
	for name, values := range rec.header {
		for _, value := range values {
			v.Headers = append(v.Headers, headerView{name, p.links.headerHTML(name, value)})
		}
	}
	slices.SortStableFunc(v.Headers, func(a, b headerView) int { return cmp.Compare(a.Name, b.Name) })
	return v
}

// milliseconds is how long something took; "" for what nobody has timed.
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
