package browse

import (
	"cmp"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"lower": strings.ToLower,
	"size":  size,
	"words": func(name string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(name) },
}).ParseFS(templateFiles, "templates/*.html"))

// view is what the template of a page is given.
type view struct {
	*static
	visit     *visit
	Title     string
	Crumbs    []crumb
	Operation *operation // nil where there is none
	Resource  bool       // whether the address is one of the document's
	Who       string     // has signed in
	WhoURL    string
	SignIn    string // where to
	Again     bool   // in another window: this one holds a form that was sent after the session had ended
	SignOut   string
	Notice    string
	Means     template.HTML // what the document says of such an answer to a form
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
	Choose    *relatedLink // the list in which to choose what the shown operation is for
	Shown     bool         // the page documents an operation of another address
	First     bool         // the forms come before the answer
	Back      string       // where a page leads back to that shows a form's answer
	Live      string       // the event stream that tells of changes of what is shown
	ETag      string
	Path      string
	Plain     string // the address of the plain answer
}

type crumb struct{ Text, Href string }

// page is what every page has.
func (p *pages) page(w http.ResponseWriter, r *http.Request, v *visit, res *resource, op *operation, rec *record) *view {
	page := &view{static: p.static[op], visit: v, Operation: op, Resource: res != nil, Path: r.URL.EscapedPath(), Crumbs: p.crumbs(r.URL.Path), Answer: p.answer(op, rec),
		ETag: rec.header.Get("ETag")}
	page.Plain = page.Path + "?" + join2(r.URL.RawQuery, formatParameter+"=json")
	page.Next, page.Previous = p.links.paged(rec.header)
	page.Problem = readProblem(rec)
	switch {
	case op != nil:
		page.Title = cmp.Or(op.nameIn(rec), op.Summary)
	case page.Problem != nil && page.Problem.Title != "":
		page.Title = page.Problem.Title
	default:
		page.Title = page.Crumbs[len(page.Crumbs)-1].Text
	}
	if v.known {
		page.Who, page.WhoURL = cmp.Or(v.actor.Email, v.actor.Name), p.options.WhoURL
		page.SignOut = p.options.LogoutURL
	}
	if p.options.LoginURL != "" && !v.known {
		page.SignIn = p.login(r)
	}
	page.Notice = takeNotice(w, r)
	page.Live = p.follow(v, op, rec)
	return page
}

// Nav leads to what the page's user may do.
func (page *view) Nav() template.HTML { return page.navigation(page.visit) }

// nameIn is what that which is shown is called; "" when it has no name.
func (op *operation) nameIn(rec *record) string {
	if op.Method != http.MethodGet || rec.status != http.StatusOK || !rec.isJSON || !op.resource.isOne() {
		return ""
	}
	var shown struct{ Name, Email string }
	if json.Unmarshal(rec.body.Bytes(), &shown) != nil {
		return ""
	}
	return short(cmp.Or(strings.TrimSpace(shown.Name), shown.Email))
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
