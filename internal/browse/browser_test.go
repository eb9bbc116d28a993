package browse_test

import (
	"context"
	"encoding/base64"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"itemcast/internal/node/nodetest"
)

// browserPatience is longer than for anything else: a browser on a busy machine takes its time.
const browserPatience = time.Minute

// closeChrome ends the browser, if a test has started it.
var closeChrome = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	closeChrome()
	os.Exit(code)
}

// chrome starts one browser for all tests. Each test has a tab and a profile of its own.
var chrome = sync.OnceValues(func() (context.Context, error) {
	profile, err := os.MkdirTemp("", "itemcast-browser-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	closeChrome = func() { closeTab(); end(); _ = os.RemoveAll(profile) }
	return ctx, chromedp.Do(ctx)
})

// tab is a browser's.
type tab struct {
	t   *testing.T
	n   *nodetest.Node
	ctx context.Context
}

// violations notes what the Content-Security-Policy keeps a page from.
const violations = `window.violations = []; addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI))`

// openTab opens a tab that signs in as the administrator by itself, by HTTP Basic.
func openTab(n *nodetest.Node, t *testing.T) *tab {
	t.Helper()
	b := openStrangersTab(n, t)
	credentials := base64.StdEncoding.EncodeToString([]byte(nodetest.AdminEmail + ":" + nodetest.AdminPassword))
	if _, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": "Basic " + credentials}}); err != nil {
		t.Fatal(err)
	}
	return b
}

// openStrangersTab opens a tab of a stranger's.
func openStrangersTab(n *nodetest.Node, t *testing.T) *tab {
	t.Helper()
	parent, err := chrome()
	if err != nil {
		t.Fatalf("start a browser: %v", err)
	}
	ctx, closeTab := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	b := &tab{t: t, n: n, ctx: ctx}
	b.do(chromedp.EmulateViewport(1280, 900))
	if _, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: violations}); err != nil {
		t.Fatal(err)
	}
	return b
}

// signIn fills in the page of signing in, which is open.
func (b *tab) signIn(email, password string) (status int64) {
	b.t.Helper()
	b.fill(`input[name=email]`, email)
	b.fill(`input[name=password]`, password)
	return b.follow(`form[action="/login"] button`)
}

// withoutScript turns JavaScript off.
func (b *tab) withoutScript() *tab {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	// The first context that is used lives as long as its tab, so a deadline must not be on it.
	if err := chromedp.Do(b.ctx); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\nat %s", err, b.excerpt())
	}
}

func (b *tab) excerpt() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + ' ' + document.querySelector('main')?.innerText?.slice(0, 1500)`))
	return text
}

// open opens an address of the node, and returns its status.
func (b *tab) open(path string) int64 {
	b.t.Helper()
	return b.load(chromedp.Navigate(b.n.URL + path))
}

// load does what leads to another page, and returns that page's status.
func (b *tab) load(steps ...chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.t.Fatalf("%v\nat %s", err, b.excerpt())
	}
	if response == nil {
		b.t.Fatalf("nothing was loaded at %s", b.excerpt())
	}
	return response.Status
}

// follow clicks on what leads to another page.
func (b *tab) follow(selector string) int64 {
	b.t.Helper()
	return b.load(chromedp.Click(chromedp.CSS(selector)))
}

// unfold opens the form of an operation by the button at the top of the page.
func (b *tab) unfold(operation string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(`a[href="#`+operation+`"]`)), chromedp.WaitVisible(chromedp.CSS(`#`+operation+` button.main`)))
	// It has been scrolled to: a click that comes before would meet something else.
	b.do(chromedp.Query(chromedp.CSS(`#` + operation + ` *:focus`)))
}

// eval evaluates an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v\nat %s", expression, err, b.excerpt())
	}
	return value
}

// fill types into a field, over what is there.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// text is what an element says, with the white space that it has.
func (b *tab) text(selector string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserPatience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatalf("%s: %v\nat %s", selector, err, b.excerpt())
	}
	return text
}

// says waits until an element says something.
func (b *tab) says(selector, want string) {
	b.t.Helper()
	deadline := time.Now().Add(browserPatience)
	got := ""
	for time.Now().Before(deadline) {
		if got = b.text(selector); strings.Contains(got, want) {
			return
		}
	}
	b.t.Errorf("%s says %q, and not %q", selector, got, want)
}

func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, `location.pathname + location.search`)
}
