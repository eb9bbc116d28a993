package browse

import (
	"cmp"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/browse/form"
	"itemcast/internal/browse/spec"
)

// view is what the template of a page is executed with.
type view struct {
	*static
	user         user
	Title        string
	Crumbs       []crumb
	Operation    *spec.Operation // nil for none
	IsResource   bool            // the document knows the address
	UserName     string          // "" when nobody is signed in
	UserURL      string
	SignIn       string // address; "" when a user is signed in
	SignOut      string // address
	SessionEnded bool   // the page shows a form whose session has ended
	Notice       string
	Means        template.HTML // the document's description of the answer to a form
	Problem      *form.Problem
	Changes      []form.Change // by others, since the form was filled in
	Request      requestView
	Answer       answerView
	Next         string
	Previous     string
	Filter       *form.Filter
	Forms        []form.Draft
	FormsFirst   bool // before the answer
	Related      []relatedLink
	Steps        []relatedLink // what can be done next, by the values of the answer
	Index        *indexView
	Choose       *relatedLink // the list of the things to which the documented operation applies
	Documents    bool         // the page documents an operation of another address
	Back         string       // the address to which the answer to a form leads back
	Live         string       // the event stream of changes of the resource that is shown; "" for none
	ETag         string
	Path         string
	Plain        string // the address of the plain answer
}

type crumb struct{ Text, Href string }

// page returns the view with the parts that every page has.
func (p *Pages) page(
	w http.ResponseWriter, r *http.Request, resource *spec.Resource, op *spec.Operation, ex exchange,
) *view {
	page := &view{
		static:     p.static[op],
		user:       ex.user,
		Operation:  op,
		IsResource: resource != nil,
		Crumbs:     p.crumbs(r.URL.Path),
		Request:    p.requestView(ex),
		Answer:     p.answerView(ex.answer, op),
		Notice:     p.takeNotice(w, r),
		Live:       p.liveAddress(op, ex),
		ETag:       ex.answer.header.Get("ETag"),
		Path:       r.URL.EscapedPath(),
	}
	page.Plain = page.Path + "?" + strings.TrimPrefix(r.URL.RawQuery+"&"+formatParameter+"="+formatJSON, "&")
	page.Next, page.Previous = p.links.paged(ex.answer.header)
	if ex.answer.status >= http.StatusBadRequest {
		page.Problem = form.ParseProblem(ex.answer.status, ex.answer.json())
	}
	switch {
	case op != nil:
		page.Title = cmp.Or(nameOf(op, ex.answer), op.Summary)
	case page.Problem != nil && page.Problem.Title != "":
		page.Title = page.Problem.Title
	default:
		page.Title = page.Crumbs[len(page.Crumbs)-1].Text
	}
	if ex.user.known {
		page.UserName, page.UserURL = cmp.Or(ex.user.Email, ex.user.Name), p.options.UserURL
		page.SignOut = p.options.LogoutURL
		if token := ex.user.Token; token != nil {
			page.UserName, page.SignOut = token.Name, ""
		}
	} else if p.options.LoginURL != "" {
		page.SignIn = p.signInAddress(r)
	}
	return page
}

// Nav is the navigation.
func (page *view) Nav() template.HTML { return page.navigation(page.user) }

// offersOnly makes the page of an address without a GET the page of an operation's form.
func (page *view) offersOnly(s *static) {
	page.static, page.Title, page.Problem, page.FormsFirst = s, s.op.Summary, nil, true
}

// documents makes the page the documentation of another operation.
func (page *view) documents(s *static) {
	page.static, page.Title, page.Operation, page.Documents = s, s.op.Summary, s.op, true
}

// nameOf returns the name of the resource that is shown; "" for none.
func nameOf(op *spec.Operation, answer *recorder) string {
	if op.Method != http.MethodGet || answer.status != http.StatusOK || !op.Resource.IsOne() {
		return ""
	}
	var shown struct{ Name, Email string }
	if json.Unmarshal(answer.json(), &shown) != nil {
		return ""
	}
	return form.Shorten(cmp.Or(strings.TrimSpace(shown.Name), shown.Email))
}

// crumbs lead from the root of the API to an address.
func (p *Pages) crumbs(path string) []crumb {
	at := p.document.Base
	crumbs := []crumb{{p.document.Title, at + "/"}}
	for _, step := range spec.Steps(strings.TrimPrefix(path, at)) {
		at += "/" + step
		c := crumb{Text: step}
		if p.document.Reads(at) != nil {
			c.Href = (&url.URL{Path: at}).EscapedPath()
		}
		crumbs = append(crumbs, c)
	}
	return crumbs
}

// liveAddress returns the event stream of changes of the resource that is shown, if it has an id and a revision; "" for
// none.
func (p *Pages) liveAddress(op *spec.Operation, ex exchange) string {
	live := p.document.Live
	if live == nil || op == nil || op.Method != http.MethodGet || !ex.user.may(live) ||
		ex.answer.status != http.StatusOK || ex.answer.header.Get("ETag") == "" {
		return ""
	}
	var shown struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(ex.answer.json(), &shown) != nil || shown.ID == "" {
		return ""
	}
	return p.document.Base + live.Path + "?id=" + url.QueryEscape(shown.ID)
}
