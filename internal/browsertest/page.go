package browsertest

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Page is a tab on a server, for the tests of pages. A method that cannot do its work ends the test.
type Page struct {
	T   testing.TB
	URL string // of the server
	ctx context.Context
}

// violations collects what the Content-Security-Policy forbids a page, and its errors.
const violations = `window.violations = [];
	addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI));
	addEventListener('error', (e) => violations.push(e.message ?? 'error'));
	addEventListener('unhandledrejection', (e) => violations.push(String(e.reason)));`

// Open opens a tab on a server.
func Open(t testing.TB, url string) *Page {
	t.Helper()
	return &Page{T: t, URL: url, ctx: Tab(t, violations)}
}

// As sends credentials by HTTP Basic and a preferred language with every request.
func (p *Page) As(email, password, language string) *Page {
	p.T.Helper()
	headers := network.Headers{"Accept-Language": language}
	if email != "" {
		headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(email+":"+password))
	}
	if _, err := chromedp.Call(p.ctx, network.SetExtraHTTPHeaders,
		network.SetExtraHTTPHeadersParams{Headers: headers}); err != nil {
		p.T.Fatal(err)
	}
	return p
}

// WithoutScript turns JavaScript off.
func (p *Page) WithoutScript() *Page {
	p.T.Helper()
	off := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, off); err != nil {
		p.T.Fatal(err)
	}
	return p
}

// Dark makes the tab prefer dark colours, or light ones.
func (p *Page) Dark(dark bool) *Page {
	p.T.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	media := emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, media); err != nil {
		p.T.Fatal(err)
	}
	return p
}

// Width sets the width of the window, in pixels.
func (p *Page) Width(pixels int64) *Page {
	p.T.Helper()
	p.Do(chromedp.EmulateViewport(pixels, 900))
	return p
}

// Do performs steps that stay on the page.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.T.Fatalf("%v\nat %s", err, p.Excerpt())
	}
}

// Load performs steps that lead to another page, and returns the status of that page.
func (p *Page) Load(steps ...chromedp.Action[chromedp.Void]) int64 {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Timeout)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		p.T.Fatalf("%v\nat %s", err, p.Excerpt())
	}
	if response == nil {
		p.T.Fatalf("no page was loaded at %s", p.Excerpt())
	}
	return response.Status
}

// Go opens an address of the server, and returns its status.
func (p *Page) Go(path string) int64 {
	p.T.Helper()
	return p.Load(chromedp.Navigate(p.URL + path))
}

// Follow clicks an element that leads to another page, which must have a status.
func (p *Page) Follow(selector string, want int64) {
	p.T.Helper()
	if got := p.Load(chromedp.Click(chromedp.CSS(selector))); got != want {
		p.T.Fatalf("%s leads to status %d, want %d: %s", selector, got, want, p.Excerpt())
	}
}

// Click clicks an element, and stays on the page.
func (p *Page) Click(selector string) {
	p.T.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Fill replaces the value of a control, as if nobody had typed it.
func (p *Page) Fill(selector, text string) {
	p.T.Helper()
	p.Do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// Type types a text into a control.
func (p *Page) Type(selector, text string) {
	p.T.Helper()
	p.Do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Text returns the text of an element, with its white space.
func (p *Page) Text(selector string) string {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Timeout)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS(selector)))
	if err != nil {
		p.T.Fatalf("%s: %v\nat %s", selector, err, p.Excerpt())
	}
	return text
}

// WaitText waits until the text of an element contains a text.
func (p *Page) WaitText(selector, want string) {
	p.T.Helper()
	text := `(document.querySelector(` + quote(selector) + `)?.textContent ?? '')`
	p.Wait(selector+" has "+want, text+`.includes(`+quote(want)+`)`)
}

// Wait waits until an expression is true in the page, which may go to another address meanwhile.
func (p *Page) Wait(what, expression string) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Timeout)
	defer cancel()
	var last error // Chromium answers no question while it goes from one page to the next
	for ctx.Err() == nil {
		var found bool
		if found, last = chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); found {
			return
		}
		time.Sleep(20 * time.Millisecond) // between two looks at the browser
	}
	p.T.Fatalf("the page never came so far: %s: %v\nat %s", what, last, p.Excerpt())
}

// Path returns the path and query of the page.
func (p *Page) Path() string {
	p.T.Helper()
	return Eval[string](p, `location.pathname + location.search`)
}

// Excerpt is what a failing test shows of the page.
func (p *Page) Excerpt() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](
		`location.href + ' ' + document.querySelector('main')?.innerText?.slice(0, 1500)`))
	return text
}

// Eval evaluates an expression in the page, and waits for what it promises.
func Eval[T any](p *Page, expression string) T {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.T.Fatalf("%.200s: %v\nat %s", expression, err, p.Excerpt())
	}
	return value
}

// Shoot stores a picture of the whole page in the folder that ITEMCAST_SCREENSHOTS names, for people to look at.
func (p *Page) Shoot(name string) {
	p.T.Helper()
	folder := os.Getenv("ITEMCAST_SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, Timeout)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.T.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600); err != nil {
		p.T.Fatal(err)
	}
}

func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(text) + "'"
}
