package browse

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"itemcast/internal/problem"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"lower": strings.ToLower,
	"size":  size,
	"words": func(name string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(name) },
}).ParseFS(templateFiles, "templates/*.html"))

// static is what a page has that is the same for everybody, whatever the API answers.
type static struct {
	Site   string // the API's title
	Base   string // the address of the index
	Assets Assets
	Nav    template.HTML
}

// view is what the template of a page is given.
type view struct {
	*static
	Title     string
	Crumbs    []crumb
	Operation *operation // nil where there is none
	Resource  bool       // whether the address is one of the document's
	Who       string     // has signed in
	SignIn    string     // where to
	SignOut   string
	Notice    string
	Problem   *problemView
	Changed   []changedField // since the form was filled
	Request   request
	Answer    answerView
	Next      string
	Previous  string
	Filter    *filterForm
	Actions   []action
	Related   []relatedLink
	Index     *indexView
	Shown     bool   // the page documents an operation of another address
	First     bool   // the forms come before the answer
	Back      string // where a page leads back to that shows a form's answer
	Live      string // the event stream that tells of changes of what is shown
	ETag      string
	Path      string
	Plain     string // the address of the plain answer
}

type crumb struct{ Text, Href string }

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

// page is what every page has.
func (p *pages) page(w http.ResponseWriter, r *http.Request, v *visit, res *resource, op *operation, rec *record) *view {
	page := &view{static: p.static[op], Operation: op, Resource: res != nil, Path: r.URL.EscapedPath(), Crumbs: p.crumbs(r.URL.Path), Answer: p.answer(rec),
		ETag: rec.header.Get("ETag")}
	page.Plain = page.Path + "?" + join2(r.URL.RawQuery, formatParameter+"=json")
	page.Next, page.Previous = p.links.paged(rec.header)
	page.Problem = readProblem(rec)
	switch {
	case op != nil:
		page.Title = op.Summary
	case page.Problem != nil && page.Problem.Title != "":
		page.Title = page.Problem.Title
	default:
		page.Title = page.Crumbs[len(page.Crumbs)-1].Text
	}
	if v.known {
		page.Who = cmp.Or(v.actor.Email, v.actor.Name)
		page.SignOut = p.options.LogoutURL
	}
	if p.options.LoginURL != "" && !v.known {
		page.SignIn = p.options.LoginURL + "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	page.Notice = takeNotice(w, r)
	page.Live = p.follow(v, op, rec)
	return page
}

// offer makes a page of an address that cannot be read one of what it is for.
func (page *view) offer(s *static, op *operation) {
	page.static, page.Title, page.Problem, page.First = s, op.Summary, nil, true
}

func join2(query, more string) string {
	if query == "" {
		return more
	}
	return query + "&" + more
}

// crumbs lead from the root to an address.
func (a *API) crumbs(path string) []crumb {
	crumbs := []crumb{{a.document.title, a.document.base + "/"}}
	at := a.document.base
	for _, step := range steps(strings.TrimPrefix(path, a.document.base)) {
		at += "/" + step
		c := crumb{Text: step}
		if a.find(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: at}}).operation(http.MethodGet) != nil {
			c.Href = (&url.URL{Path: at}).EscapedPath()
		}
		crumbs = append(crumbs, c)
	}
	return crumbs
}

func (p *pages) answer(rec *record) answerView {
	text, cut := rec.shown()
	v := answerView{Status: rec.status, Text: http.StatusText(rec.status), Class: "ok", Took: fmt.Sprintf("%.1f ms", float64(rec.took)/float64(time.Millisecond)),
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
		v.Body = jsonHTML(text, p.links)
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

func size(bytes int) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1_000_000)
}

// follow is the event stream of the changes of what is shown: of what has an id, and a revision.
func (p *pages) follow(v *visit, op *operation, rec *record) string {
	live := p.document.live
	if live == nil || op == nil || op.Method != http.MethodGet || rec.status != http.StatusOK || rec.header.Get("ETag") == "" ||
		!rec.isJSON || !live.May(v.actor.Permissions) {
		return ""
	}
	var shown struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(rec.body.Bytes(), &shown) != nil || shown.ID == "" {
		return ""
	}
	return p.document.base + live.Path + "?id=" + url.QueryEscape(shown.ID)
}

// problemView is a failure, and what it says of each field.
type problemView struct {
	Title  string
	Code   string
	Detail string
	Faults []faultView
}

type faultView struct {
	Where, Detail, Href string
	pointer, parameter  string
}

func readProblem(rec *record) *problemView {
	if rec.status < http.StatusBadRequest {
		return nil
	}
	var told struct {
		Title, Code, Detail string
		Errors              []problem.Fault
	}
	if !rec.isJSON || json.Unmarshal(rec.body.Bytes(), &told) != nil || told.Title == "" {
		return &problemView{Title: http.StatusText(rec.status)}
	}
	p := &problemView{Title: told.Title, Code: told.Code, Detail: told.Detail}
	for _, fault := range told.Errors {
		p.Faults = append(p.Faults, faultView{Where: cmp.Or(fault.Parameter, fault.Pointer), Detail: fault.Detail, pointer: fault.Pointer, parameter: fault.Parameter})
	}
	return p
}

// of returns what a problem says of a field, and has its list lead there. It is nil-safe.
func (p *problemView) of(f *field) string {
	if p == nil {
		return ""
	}
	var told []string
	for i := range p.Faults {
		fault := &p.Faults[i]
		detail := fault.Detail
		if f.place == bodyPrefix {
			first, rest, _ := strings.Cut(strings.TrimPrefix(unescapePointer(fault.pointer), "#/"), "/")
			if fault.pointer == "" || first != strings.ReplaceAll(strings.ReplaceAll(f.Name, "~", "~0"), "/", "~1") {
				continue
			}
			if rest != "" {
				detail = "/" + rest + " " + detail
			}
		} else if fault.parameter != f.Name && (f.Prefix == "" || !strings.HasPrefix(fault.parameter, f.Prefix)) {
			continue
		}
		fault.Href = "#" + f.ID
		told = append(told, detail)
	}
	return strings.Join(told, "; ")
}

func unescapePointer(pointer string) string {
	if text, err := url.PathUnescape(pointer); err == nil {
		return text
	}
	return pointer
}

// noticeCookie carries over a redirect what has been done.
const noticeCookie = "itemcast_notice"

var done = map[string]string{http.MethodPost: "Created", http.MethodPut: "Replaced", http.MethodPatch: "Changed", http.MethodDelete: "Deleted"}

func leaveNotice(w http.ResponseWriter, method string, rec *record) {
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Value: fmt.Sprintf("%s-%d", method, rec.status), Path: "/", MaxAge: 60, HttpOnly: true,
		SameSite: http.SameSiteLaxMode})
}

func takeNotice(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	method, status, _ := strings.Cut(cookie.Value, "-")
	var code int
	if _, err := fmt.Sscan(status, &code); err != nil || done[method] == "" || http.StatusText(code) == "" {
		return ""
	}
	return fmt.Sprintf("%s: %s answered %d %s.", done[method], method, code, http.StatusText(code))
}

// prepare renders what the pages of each operation have in common.
func (a *API) prepare() error {
	type entry struct {
		*operation
		Href string
	}
	type group struct {
		Name    string
		Entries []entry
	}
	var groups []group
	for _, t := range a.document.tags {
		g := group{Name: t.Name}
		for _, op := range t.Operations {
			g.Entries = append(g.Entries, entry{op, a.href(op)})
		}
		groups = append(groups, g)
	}
	var out strings.Builder
	if err := templates.ExecuteTemplate(&out, "nav.html", groups); err != nil {
		return fmt.Errorf("render the navigation: %w", err)
	}
	common := static{Site: a.document.title, Base: a.document.base + "/", Assets: a.options.Assets, Nav: template.HTML(out.String())} // of a template
	a.static = map[*operation]*static{nil: &common}
	for _, res := range a.document.resources {
		for _, op := range res.operations {
			own, mark := common, `data-op="`+template.HTMLEscapeString(op.ID)+`"`
			own.Nav = template.HTML(strings.Replace(out.String(), mark, mark+` aria-current="page"`, 1)) // the same
			a.static[op] = &own
		}
	}
	return nil
}

// href is where an operation can be used; where that depends on parameters, where it is documented.
func (a *API) href(op *operation) string {
	switch {
	case !op.resource.isFixed():
		return a.document.base + "/?" + showParameter + "=" + url.QueryEscape(op.ID)
	case op.Method == http.MethodGet:
		return a.document.base + op.Path
	}
	return a.document.base + op.Path + "#" + op.ID
}
