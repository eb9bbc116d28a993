package browse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/contract"
	"itemcast/internal/problem"
)

// visit is what is learnt of a request while the API answers it.
type visit struct {
	actor      account.Actor
	known      bool // whether anybody has signed in
	res        *resource
	isForm     bool
	submission *submission
	signIn     string // where a stranger is led, rather than refused; "" for nowhere
}

type visitKey struct{}

// watch is behind the sign-in: it notes who has signed in, and turns a form into a request of the API. A stranger's form is not read.
func watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, _ := r.Context().Value(visitKey{}).(*visit)
		v.actor, v.known = account.ActorFrom(r.Context())
		if !v.isForm {
			next.ServeHTTP(w, r)
			return
		}
		submission, err := readSubmission(w, r, v.res)
		if err != nil {
			contract.WriteProblem(w, r, err)
			return
		}
		v.submission = submission
		if len(submission.faults) > 0 {
			contract.WriteProblem(w, r, problem.Invalid(problem.InvalidInput, submission.faults...))
			return
		}
		next.ServeHTTP(w, submission.request)
	})
}

// Refuse tells a client why its request does not come to an operation. A page notes who that is, if anybody has signed in.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	if v, ok := r.Context().Value(visitKey{}).(*visit); ok {
		v.actor, v.known = account.ActorFrom(r.Context())
		if v.signIn != "" && problem.Is(err, problem.Unauthenticated) {
			redirect(w, v.signIn)
			return
		}
	}
	contract.WriteProblem(w, r, err)
}

// leads reports whether a stranger is led to the sign-in rather than refused: not with credentials, which the browser would keep.
func (p *pages) leads(r *http.Request) bool {
	return p.options.LoginURL != "" && r.Header.Get("Authorization") == ""
}

// leadingToSignIn is the request of a browser that wants the plain answer: a stranger is led to the sign-in, and back to the address as it was,
// for with the plain refusal the browser would open a box of its own.
func (p *pages) leadingToSignIn(r, was *http.Request) *http.Request {
	if r.Method != http.MethodGet || !p.leads(r) {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), visitKey{}, &visit{signIn: p.login(was)}))
}

// ask has the API answer a request.
func (p *pages) ask(w http.ResponseWriter, r *http.Request, v *visit) *record {
	rec := newRecord(w)
	rec.of(p.watched, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	return rec
}

// plainly is a request for what a client would get that does not mind the form, and has nothing kept.
func plainly(r *http.Request, query string) *http.Request {
	asked := withQuery(r, query)
	asked.Header.Set("Accept", "*/*")
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "Range", "Last-Event-Id"} {
		asked.Header.Del(name)
	}
	return asked
}

// read shows what a GET answers.
func (p *pages) read(w http.ResponseWriter, r *http.Request) {
	res := p.find(r)
	op := res.operation(http.MethodGet)
	query := r.URL.RawQuery
	var own url.Values
	if strings.Contains(query, filterParameter+"=") && op != nil {
		target := (&url.URL{Path: r.URL.Path, RawQuery: cleanFilter(op, r.URL.Query())}).String()
		redirect(w, target)
		return
	}
	if query != "" && res != nil && res == p.document.index {
		var rest url.Values
		rest, own = cutOwn(r.URL.Query(), searchParameter, showParameter)
		query = rest.Encode()
	}
	v := &visit{res: res}
	asked := plainly(r, query)
	asked.Method = http.MethodGet // net/http keeps the page of a HEAD to itself
	if op != nil && op.answersOnlyStreams() {
		asked.Method = http.MethodHead // it is for a stream's client: a page says no more than that it is there
	}
	rec := p.ask(w, asked, v)
	if rec.status == http.StatusUnauthorized && p.leads(r) {
		redirect(w, p.login(r))
		return
	}
	page := p.page(w, r, v, res, op, rec)
	page.Request = p.request(asked, v, nil)
	if op != nil {
		page.Filter = newFilter(op, r.URL.Query(), page.Problem)
	}
	page.Actions = p.actions(r, v, res, rec)
	page.Related = related(r, v, res)
	if res != nil && res == p.document.index && rec.status < http.StatusBadRequest {
		p.index(page, own, v)
	}
	switch {
	case op == nil && rec.status == http.StatusMethodNotAllowed && len(page.Actions) > 0:
		page.offer(p.static[page.Actions[0].operation], page.Actions[0].operation)
	case rec.status >= http.StatusBadRequest:
		page.First = len(page.Actions) > 0
	}
	p.write(w, r, page, rec)
}

// submit does what a form asks for.
func (p *pages) submit(w http.ResponseWriter, r *http.Request) {
	res := p.find(r)
	v := &visit{res: res, isForm: true}
	rec := p.ask(w, plainly(r, ""), v)
	s := v.submission
	if s == nil && rec.status == http.StatusUnauthorized && p.options.LoginURL != "" {
		if v.submission = readStrangers(w, r, res); v.submission != nil {
			v.actor.Permissions = account.All() // nobody knows whose it was
			p.keepForStranger(w, r, v, rec)
			return
		}
	}
	if s == nil || s.op == nil { // one that was not read, or a method that the document does not know here
		page := p.page(w, r, v, res, nil, rec)
		page.Back = r.URL.EscapedPath()
		page.Request = p.request(r, v, nil)
		if s != nil {
			page.Title = s.method + " " + r.URL.Path
			page.Request = p.request(s.request, v, s)
		}
		p.write(w, r, page, rec)
		return
	}
	if target := p.after(r, s, rec); target != "" {
		leaveNotice(w, s, rec)
		redirect(w, target)
		return
	}
	page := p.page(w, r, v, res, s.op, rec)
	page.Request = p.request(s.request, v, s)
	page.Means = s.op.means(rec.status)
	switch {
	case rec.status == http.StatusPreconditionFailed:
		p.conflict(w, r, v, page)
	case rec.status >= http.StatusBadRequest:
		page.Actions = []action{p.refill(r, v, page.Problem)}
	}
	page.Back = r.URL.EscapedPath()
	if res.operation(http.MethodGet) == nil {
		page.Back = p.parent(r, res)
	}
	p.write(w, r, page, rec)
}

// keepForStranger hands a form back to who is signed in no longer, to send it again.
func (p *pages) keepForStranger(w http.ResponseWriter, r *http.Request, v *visit, rec *record) {
	s := v.submission
	page := p.page(w, r, v, v.res, s.op, rec)
	page.Request = p.request(s.request, v, s)
	page.Actions = []action{p.refill(r, v, nil)}
	page.Back, page.Again = r.URL.EscapedPath(), true
	p.write(w, r, page, rec)
}

// after is where a success leads to: to what was made or changed, when its own page says as much as the answer does. (A new hook's answer
// has a secret that no other has: it is shown.)
func (p *pages) after(r *http.Request, s *submission, rec *record) string {
	switch {
	case rec.status < 200 || rec.status >= 300:
		return ""
	case s.method == http.MethodDelete && rec.status == http.StatusNoContent:
		return p.parent(r, p.find(r))
	case rec.status == http.StatusCreated:
		if s.op.tellsSecret(rec) {
			return ""
		}
		target := p.links.href(rec.header.Get("Location"))
		if target == "" {
			return ""
		}
		address, err := url.Parse(target)
		if err != nil {
			return ""
		}
		made := p.find(&http.Request{Method: http.MethodGet, URL: address}).operation(http.MethodGet)
		if made == nil || s.op.answerType() == "" || made.answerType() != s.op.answerType() {
			return ""
		}
		return target
	case s.method == http.MethodPut || s.method == http.MethodPatch:
		if read := s.op.resource.operation(http.MethodGet); read == nil || read.answerType() != s.op.answerType() {
			return ""
		}
		return r.URL.EscapedPath()
	}
	return ""
}

// tellsSecret reports whether an answer has what no other will tell.
func (op *operation) tellsSecret(rec *record) bool {
	var told map[string]json.RawMessage
	if json.Unmarshal(rec.body.Bytes(), &told) != nil {
		return false
	}
	return slices.ContainsFunc(op.successes(), func(t body) bool {
		return slices.ContainsFunc(t.properties, func(p property) bool { return p.isSecret() && !isNothing(told[p.name]) })
	})
}

// means is what the document says of an answer that is a success; "" for nothing.
func (op *operation) means(status int) template.HTML {
	for _, a := range op.answers {
		if status < http.StatusMultipleChoices && a.status == strconv.Itoa(status) {
			return inline(a.description)
		}
	}
	return ""
}

// parent is the nearest address above that can be read.
func (p *pages) parent(r *http.Request, res *resource) string {
	path := r.URL.Path
	for {
		at := strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')
		if at < len(p.document.base) {
			return p.document.base + "/"
		}
		path = path[:at]
		above := p.find(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
		if above != res && above.operation(http.MethodGet) != nil {
			return (&url.URL{Path: path}).EscapedPath()
		}
	}
}

// login is where to sign in, and to come back from.
func (p *pages) login(r *http.Request) string {
	return p.options.LoginURL + "?next=" + url.QueryEscape(r.URL.RequestURI())
}

func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// answerWithin is for a browser to read a page, however long the API took for the answer.
const answerWithin = 60 * time.Second

// policy allows a page no script, style, picture or connection but our own, and none of them inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// write renders a page, with the status of the answer that it shows.
func (p *pages) write(w http.ResponseWriter, r *http.Request, page *view, rec *record) {
	var out bytes.Buffer
	out.Grow(len(page.Answer.Body) + 128<<10)
	if err := templates.ExecuteTemplate(&out, "page.html", page); err != nil {
		contract.WriteProblem(w, r, fmt.Errorf("render a page: %w", err))
		return
	}
	h := w.Header()
	for _, name := range []string{"Allow", "Retry-After", "Www-Authenticate"} {
		if values, ok := rec.header[name]; ok {
			h[name] = values
		}
	}
	if location := rec.header.Get("Location"); rec.status/100 == 3 && location != "" {
		h.Set("Location", location)
	}
	if p.options.LoginURL != "" {
		h.Del("Www-Authenticate") // or the browser opens a box of its own over the page
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	h["Vary"] = varies
	status := rec.status
	if status == http.StatusNoContent || status == http.StatusNotModified || status < 200 {
		status = http.StatusOK // these have no body; the page has one
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // fails when the client has gone
}
