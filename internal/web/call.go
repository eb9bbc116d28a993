package web

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"itemcast/internal/account"
	"itemcast/internal/problem"
	"itemcast/internal/web/text"
)

// call is one request for one of the Pages.
type call struct {
	*http.Request
	w     http.ResponseWriter
	pages *Pages
	text  *text.Language
	actor account.Actor // zero until admit

	cursor string                         // from which a page follows changes
	faults struct{ file, picture string } // of the forms that add a file to an item
}

func (p *Pages) newCall(w http.ResponseWriter, r *http.Request) *call {
	return &call{Request: r, w: w, pages: p, text: text.For(r.Header.Get("Accept-Language"))}
}

// admit finds the user of the request.
func (c *call) admit() error {
	admitted, err := c.pages.Admit(c.w, c.Request)
	c.Request = admitted
	if actor, ok := account.ActorFrom(admitted.Context()); ok {
		c.actor = actor
	}
	return err
}

// isFragment reports whether a script asks for a part of a page.
func (c *call) isFragment() bool {
	return c.Header.Get("X-Requested-With") == "XMLHttpRequest" || c.Header.Get("HX-Request") != ""
}

// refuse leads a person who is not signed in to the sign-in. A form is not lost: the browser's Back still has it.
func (c *call) refuse(err error) {
	c.w.Header().Del("WWW-Authenticate") // the browser would open a dialog of its own
	isReading := c.Method == http.MethodGet || c.Method == http.MethodHead
	if problem.Is(err, problem.Unauthenticated) && isReading && !c.isFragment() {
		redirect(c.w, c.Request, c.pages.root+"login?next="+url.QueryEscape(c.URL.RequestURI()))
		return
	}
	c.fail(err)
}

func (c *call) readForm() error {
	c.Body = http.MaxBytesReader(c.w, c.Body, maxPageForm)
	err := c.ParseForm()
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge(tooLarge.Limit)
	}
	if err != nil {
		return problem.New(problem.BadRequest, "The form is not valid, or did not arrive in full. Send it again.")
	}
	return nil
}

// value returns a value of the form that was sent, with the line ends that Itemcast stores.
func (c *call) value(name string) string {
	return strings.ReplaceAll(c.PostForm.Get(name), "\r\n", "\n")
}

// may reports whether the user has a permission. Pages ask it only to leave out what the services would refuse.
func (c *call) may(p account.Permission) bool { return c.actor.Permissions.Has(p) }

// inAPI is a page that the browsable API has too, at an address.
type inAPI interface{ apiAddress() string }

// show answers with a page.
func (c *call) show(s *screen, status int, data any) {
	view := c.pages.shell(c)
	view.Data = data
	if of, ok := data.(inAPI); ok {
		view.API = of.apiAddress()
	}
	c.write(status, s.render(c.text, view))
}

// showPart answers with the part of a page that a script asked for.
func (c *call) showPart(s *screen, name string, data any) {
	c.write(http.StatusOK, s.renderPart(c.text, name, data))
}

// pagePolicy is the Content-Security-Policy of these pages. Pictures and files of items may be on other servers.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' https: http:; media-src 'self' https: http: blob:; frame-src 'self'; base-uri 'none'; " +
	"form-action 'self'; frame-ancestors 'none'"

func (c *call) write(status int, body []byte) {
	h := c.w.Header()
	h.Set("Content-Language", c.text.Tag)
	// It is for one user, and a browser that goes back must not show what has changed since.
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Cookie, Accept-Language")
	writeHTML(c.w, c.Request, status, pagePolicy, body)
}

// seeOther leads to another page after a form, and reports what was done there.
func (c *call) seeOther(to string, done notice) error {
	if done.Key != "" {
		done.set(c)
	}
	redirect(c.w, c.Request, to)
	return nil
}

// failure is what problem.html shows.
type failure struct {
	Title     string
	Detail    string
	SignIn    string // address; "" where signing in does not help
	Temporary bool
}

var problemScreen = newScreen("problem.html")

// fail answers with the page of an error.
func (c *call) fail(err error) {
	shown := c.pages.Explain(c.Request, err)
	status := shown.Code.Status()
	data := failure{Title: c.text.Or("problem."+string(shown.Code), http.StatusText(status)), Detail: shown.Detail,
		Temporary: shown.Code.IsTemporary()}
	if shown.Code == problem.Unauthenticated {
		data.Detail = c.text.Get("problem.signin")
		data.SignIn = c.pages.root + "login?next=" + url.QueryEscape(c.URL.RequestURI())
	}
	if data.Temporary {
		c.w.Header().Set("Retry-After", shown.RetrySeconds())
	}
	c.show(problemScreen, status, data)
}

// screen is the template of a page, parsed once for each language when it is first needed.
type screen struct {
	name  string
	files []string
	sheet func() map[*text.Language]*template.Template
}

// shellFiles are the templates that every page has.
var shellFiles = []string{"head.html", "shell.html", "field.html"}

// newScreen returns the page of a template, with those that it uses.
func newScreen(name string, more ...string) *screen {
	s := &screen{name: name, files: append(append([]string{}, shellFiles...), append(more, name)...)}
	s.sheet = parseOnce(s.files)
	return s
}

func (s *screen) render(l *text.Language, view any) []byte { return s.renderPart(l, s.name, view) }

func (s *screen) renderPart(l *text.Language, name string, view any) []byte {
	var body bytes.Buffer
	body.Grow(4 << 10)
	if name == s.name {
		body.Grow(64 << 10) // a page
	}
	if err := s.sheet()[l].ExecuteTemplate(&body, name, view); err != nil {
		panic(err) // the templates are constant, and the tests render each
	}
	return body.Bytes()
}
