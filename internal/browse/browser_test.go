package browse_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	browsertest.Close()
	os.Exit(code)
}

// tab is a tab of the browser on a node.
type tab struct {
	t   *testing.T
	n   *nodetest.Node
	ctx context.Context
}

// violations collects what the Content-Security-Policy forbade a page.
const violations = `window.violations = [];
	addEventListener('securitypolicyviolation', (e) => violations.push(e.violatedDirective + ' ' + e.blockedURI))`

// openTab opens a tab that authenticates as the administrator, by HTTP Basic.
func openTab(t *testing.T, n *nodetest.Node) *tab {
	t.Helper()
	b := openStrangersTab(t, n)
	credentials := base64.StdEncoding.EncodeToString([]byte(nodetest.AdminEmail + ":" + nodetest.AdminPassword))
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Authorization": "Basic " + credentials}}
	if _, err := chromedp.Call(b.ctx, network.SetExtraHTTPHeaders, headers); err != nil {
		t.Fatal(err)
	}
	return b
}

// openStrangersTab opens a tab that is not signed in.
func openStrangersTab(t *testing.T, n *nodetest.Node) *tab {
	t.Helper()
	return &tab{t: t, n: n, ctx: browsertest.Tab(t, violations)}
}

// withoutScript turns JavaScript off.
func (b *tab) withoutScript() *tab {
	b.t.Helper()
	off := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, off); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// do performs steps that stay on the page.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browsertest.Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\nat %s", err, b.excerpt())
	}
}

// load performs steps that lead to another page, and returns the status of that page.
func (b *tab) load(steps ...chromedp.Action[chromedp.Void]) int64 {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browsertest.Timeout)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.t.Fatalf("%v\nat %s", err, b.excerpt())
	}
	if response == nil {
		b.t.Fatalf("no page was loaded at %s", b.excerpt())
	}
	return response.Status
}

// open opens an address of the node, and returns its status.
func (b *tab) open(path string) int64 {
	b.t.Helper()
	return b.load(chromedp.Navigate(b.n.URL + path))
}

// follow clicks an element that leads to another page, and returns the status of that page.
func (b *tab) follow(selector string) int64 {
	b.t.Helper()
	return b.load(chromedp.Click(chromedp.CSS(selector)))
}

// followTo is follow, to a page with a status.
func (b *tab) followTo(selector string, want int64) {
	b.t.Helper()
	if got := b.follow(selector); got != want {
		b.t.Fatalf("%s leads to status %d, want %d: %s", selector, got, want, b.excerpt())
	}
}

// signIn fills in the sign-in page, which is open.
func (b *tab) signIn(email, password string) (status int64) {
	b.t.Helper()
	b.fill(`input[name=email]`, email)
	b.fill(`input[name=password]`, password)
	return b.follow(`form[action$="/login"] button`)
}

// signInAsAdmin signs in on the sign-in page, which is open.
func (b *tab) signInAsAdmin() {
	b.t.Helper()
	if status := b.signIn(nodetest.AdminEmail, nodetest.AdminPassword); status != http.StatusOK {
		b.t.Fatalf("the sign-in leads to status %d", status)
	}
}

// openForm opens the form of an operation by the button at the top of the page.
func (b *tab) openForm(operation string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(`a[href="#`+operation+`"]`)),
		chromedp.WaitVisible(chromedp.CSS(`#`+operation+` button.main`)))
	// Once a field has the focus, the page has scrolled; an earlier click would hit something else.
	b.do(chromedp.Query(chromedp.CSS(`#` + operation + ` *:focus`)))
}

// submit sends the form of an operation, which is open, and returns the status of the next page.
func (b *tab) submit(operation string) int64 {
	b.t.Helper()
	return b.follow(`#` + operation + ` form button.main`)
}

// fill replaces the value of a control.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SetValue(chromedp.CSS(selector), text))
}

// value returns the value of the control with an id.
func (b *tab) value(id string) string {
	b.t.Helper()
	return eval[string](b, `document.getElementById('`+id+`').value`)
}

// text returns the text of an element, with its white space.
func (b *tab) text(selector string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browsertest.Timeout)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatalf("%s: %v\nat %s", selector, err, b.excerpt())
	}
	return text
}

// waitText waits until the text of an element contains a text.
func (b *tab) waitText(selector, want string) {
	b.t.Helper()
	got := ""
	for deadline := time.Now().Add(browsertest.Timeout); time.Now().Before(deadline); {
		if got = b.text(selector); strings.Contains(got, want) {
			return
		}
	}
	b.t.Errorf("%s has the text %q, want %q", selector, got, want)
}

// path returns the path and query of the page.
func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, `location.pathname + location.search`)
}

func (b *tab) wantPath(want string) {
	b.t.Helper()
	if got := b.path(); got != want {
		b.t.Errorf("the page is %s, want %s", got, want)
	}
}

// excerpt is what a failing test shows of the page.
func (b *tab) excerpt() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](
		`location.href + ' ' + document.querySelector('main')?.innerText?.slice(0, 1500)`))
	return text
}

// eval evaluates an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browsertest.Timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v\nat %s", expression, err, b.excerpt())
	}
	return value
}

// createItem returns the path of a new item.
func createItem(n *nodetest.Node, input string) string {
	n.T.Helper()
	created := n.Call(http.MethodPost, "/api/v1/items", input).WantStatus(n.T, http.StatusCreated)
	return "/api/v1/items/" + created.Field(n.T, "id")
}

// wantItem checks that an item's document has texts.
func wantItem(t *testing.T, n *nodetest.Node, path string, want ...string) {
	t.Helper()
	body := string(n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK).Body)
	for _, text := range want {
		if !strings.Contains(body, text) {
			t.Errorf("%s has no %s: %s", path, text, body)
		}
	}
}
