package web

import (
	"html"
	"html/template"
	"regexp"
	"strings"
	"sync"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/web/text"
)

// navigation are the pages that every page leads to, in this order. A page appears for users with its permission.
var navigation = []struct {
	path       string // below the root
	key        string // of its name
	permission account.Permission
	more       []string // paths of pages that belong to it
}{
	{"items", "nav.items", account.ItemsView, nil},
	{"workflows", "nav.workflows", account.ItemsView, nil},
	{"live", "nav.live", account.ItemsView, nil},
	{"graphql", "nav.playground", account.APIAccess, nil},
	{"api", "nav.api", account.APIAccess, []string{"hooks", "deliveries"}},
}

// link is a link of a page.
type link struct {
	Href, Text string
	Current    bool
}

// shellView is what shell.html shows around a page.
type shellView struct {
	Root      string
	Icon      string
	Notices   string
	Bundle    bundle
	Built     bool
	Lang      string
	User      string // who is signed in; "" for nobody
	Nav       []link
	Path      string // of the page, with its query
	API       string // the address of the same thing in the browsable API; "" for none
	Notice    *shownNotice
	SignedOut bool
	Data      any
}

func (p *Pages) shell(c *call) *shellView {
	v := &shellView{Root: p.root, Icon: p.icon, Notices: p.notices, Bundle: p.bundle, Built: p.isBuilt, Lang: c.text.Tag,
		User: c.actor.ShownEmail(), Path: c.URL.RequestURI(), Notice: takeNotice(c)}
	if c.actor.Permissions == nil {
		return v
	}
	for _, page := range navigation {
		if !c.may(page.permission) {
			continue
		}
		entry := link{Href: p.root + page.path, Text: c.text.Get(page.key)}
		for _, path := range append([]string{page.path}, page.more...) {
			entry.Current = entry.Current || strings.HasPrefix(c.URL.Path+"/", p.root+path+"/")
		}
		v.Nav = append(v.Nav, entry)
	}
	return v
}

// isHTTPS reports whether browsers reach a public URL over https.
func isHTTPS(publicURL string) bool { return strings.HasPrefix(publicURL, "https://") }

// parseOnce returns a function that parses templates, once for each language: the functions t, n and when write in it.
func parseOnce(files []string) func() map[*text.Language]*template.Template {
	return sync.OnceValue(func() map[*text.Language]*template.Template {
		sheets := map[*text.Language]*template.Template{}
		for _, l := range text.Languages() {
			sheet := template.New("").Funcs(functions(l))
			for _, file := range files {
				source, err := templates.ReadFile("templates/" + file)
				if err != nil {
					panic(err) // only for a file that does not exist, and the tests render each page
				}
				template.Must(sheet.New(file).Parse(withTexts(l, string(source))))
			}
			sheets[l] = sheet
		}
		return sheets
	})
}

// constantText is a text of a template that depends on nothing but the language.
var constantText = regexp.MustCompile(`\{\{t "([^"]+)"\}\}`)

// withTexts writes the constant texts into a template. A page has a hundred of them, and a template calls a function by
// reflection, in a microsecond: they were a third of the time that a page takes.
func withTexts(l *text.Language, source string) string {
	return constantText.ReplaceAllStringFunc(source, func(call string) string {
		return html.EscapeString(l.Get(constantText.FindStringSubmatch(call)[1]))
	})
}

// functions are those of the templates in a language.
func functions(l *text.Language) template.FuncMap {
	return template.FuncMap{
		"t":     l.Get,
		"n":     l.Count,
		"when":  func(t time.Time) moment { return momentOf(l, t) },
		"field": func(f field) field { return f },
	}
}

// moment is a time of a page, for the element time.
type moment struct{ ISO, Text string }

func momentOf(l *text.Language, t time.Time) moment {
	return moment{t.UTC().Format(time.RFC3339), l.Time(t)}
}
