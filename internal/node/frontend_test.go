package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"itemcast/internal/browsertest"
	"itemcast/internal/db/dbtest"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/porttest"
)

// These tests open examples/frontend in Chromium, from another site than the node's, with nothing but a token.

const devOrigin = "http://localhost:5173" // of the page while people develop it

// builtPage is the page as `npm run build` makes it. It has a server and a token, which open replaces.
type builtPage struct{ dir, server, token string }

// buildPage builds the page, with types of what a node serves.
func buildPage(t *testing.T) builtPage {
	t.Helper()
	n := nodetest.Start(t)
	dir := copyExample(t, "frontend")
	linkPackages(t, dir, "frontend", "clients")
	built := builtPage{dir: filepath.Join(dir, "dist"), server: n.URL, token: createToken(n.Client, devOrigin)}
	runWith(t, dir, []string{"VITE_ITEMCAST_URL=" + built.server, "VITE_ITEMCAST_TOKEN=" + built.token},
		"npm", "run", "--silent", "build")
	return built
}

// createToken creates a token that shows the items with the tag public to pages of the origins, and returns its secret.
func createToken(n *nodetest.Client, origins ...string) (secret string) {
	return newToken(n, origins...).Field(n.T, "secret")
}

func newToken(n *nodetest.Client, origins ...string) nodetest.Response {
	n.T.Helper()
	named, err := json.Marshal(append([]string{}, origins...))
	if err != nil {
		n.T.Fatal(err)
	}
	return n.Call(http.MethodPost, "/api/v1/tokens", `{"name":"Page","permissions":["items.view"],
		"filter":{"tags":["public"]},"origins":`+string(named)+`}`).
		WantStatus(n.T, http.StatusCreated)
}

// openedPage is the page in a tab.
type openedPage struct {
	t      *testing.T
	ctx    context.Context
	server *httptest.Server
	origin string
}

// serve serves the page at an origin of its own. The page is at another site than the node, which is at 127.0.0.1.
func (built builtPage) serve(t *testing.T) (page *openedPage, use func(server, token string)) {
	t.Helper()
	files, replacer := http.FileServer(http.Dir(built.dir)), strings.NewReplacer()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".js") {
			files.ServeHTTP(w, r)
			return
		}
		script, err := os.ReadFile(filepath.Join(built.dir, filepath.Clean(r.URL.Path)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = replacer.WriteString(w, string(script))
	}))
	t.Cleanup(server.Close)
	page = &openedPage{t: t, server: server, origin: strings.Replace(server.URL, "127.0.0.1", "localhost", 1)}
	return page, func(server, token string) { replacer = strings.NewReplacer(built.server, server, built.token, token) }
}

// faults collects the errors that nothing in the page has handled.
const faults = `window.faults = [];
	addEventListener('error', (e) => faults.push(e.message ?? String(e.target.src)));
	addEventListener('unhandledrejection', (e) => faults.push(String(e.reason)))`

func (p *openedPage) open() {
	p.t.Helper()
	if p.ctx == nil {
		p.ctx = browsertest.Tab(p.t, faults)
	}
	ctx, cancel := context.WithTimeout(p.ctx, browsertest.Timeout)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Navigate(p.origin+"/")); err != nil {
		p.t.Fatal(err)
	}
}

// seen is what a person sees of the page.
type seen struct {
	Connection string   // Live, Away, …
	Items      []string // the names, as they are listed
	Changes    []string // the latest ones, newest first
	Faults     []string
}

const look = `({
	Connection: document.querySelector('.connection strong')?.textContent ?? '',
	Items: [...document.querySelectorAll('main .card:not(.skeleton) h2')].map((e) => e.textContent),
	Changes: [...document.querySelectorAll('aside li')].map((e) => e.dataset.kind + ' ' + e.querySelector('strong').textContent),
	Faults: window.faults ?? [],
})`

func evaluate[T any](p *openedPage, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, browsertest.Timeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// want waits until the page shows what it must.
func (p *openedPage) want(connection string, items []string, changes ...string) {
	p.t.Helper()
	want := seen{Connection: connection, Items: items, Changes: changes, Faults: []string{}}
	if items == nil {
		want.Items = []string{}
	}
	if changes == nil {
		want.Changes = []string{}
	}
	var got seen
	defer func() {
		if p.t.Failed() {
			p.t.Logf("the page shows %+v\nwant           %+v\n%s", got, want, evaluate[string](p, `document.body.innerText`))
		}
	}()
	nodetest.Eventually(p.t, "the page shows "+connection, func() bool {
		got = evaluate[seen](p, look)
		return reflect.DeepEqual(got, want)
	})
}

// wantText waits until the page has a text.
func (p *openedPage) wantText(text string) {
	p.t.Helper()
	shown := ""
	defer func() {
		if p.t.Failed() {
			p.t.Logf("the page lacks %q:\n%s", text, shown)
		}
	}()
	nodetest.Eventually(p.t, "the page says "+text, func() bool {
		shown = evaluate[string](p, `document.body.innerText`)
		return strings.Contains(shown, text)
	})
}

func TestFrontend(t *testing.T) {
	t.Parallel()
	built := buildPage(t)
	for name, test := range map[string]func(*testing.T, builtPage){
		"lists items and shows changes as they come": frontendShowsChanges,
		"outlives a killed node":                     frontendOutlivesAKilledNode,
		"says why it is refused":                     frontendSaysWhyItIsRefused,
		"gets nothing by a cookie":                   frontendGetsNothingByACookie,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, built) })
	}
}

func frontendShowsChanges(t *testing.T, built builtPage) {
	n := nodetest.Start(t)
	page, use := built.serve(t)
	made := newToken(n.Client, page.origin)
	use(n.URL, made.Field(t, "secret"))
	page.open()
	page.want("Live", nil)
	page.wantText("Nothing here yet")

	const width = `document.querySelector('main').offsetWidth`
	before := evaluate[int](page, width)
	one := n.CreateItem(`{"name":"Metropolis","tags":["public"]}`)
	page.want("Live", []string{"Metropolis"}, "CREATED Metropolis")
	if after := evaluate[int](page, width); after != before {
		t.Errorf("the first change makes the list %d pixels wide, from %d", after, before)
	}
	two := n.CreateItem(`{"name":"Nosferatu"}`) // hidden by the token's filter
	n.CreateItem(`{"name":"` + strings.Repeat("M", 300) + `","tags":["public"]}`)
	patch := func(id, body string) {
		n.Call(http.MethodPatch, "/api/v1/items/"+id, body).WantStatus(t, http.StatusOK)
	}
	patch(two, `{"tags":["public"]}`)
	patch(one, `{"tags":["silent"]}`)
	patch(two, `{"name":"<b>Nosferatu</b>"}`)
	patch(one, `{"name":"hidden"}`)
	long := strings.Repeat("M", 300)
	changes := []string{"UPDATED <b>Nosferatu</b>", "LEFT Metropolis", "ENTERED Nosferatu", "CREATED " + long,
		"CREATED Metropolis"}
	page.want("Live", []string{long, "<b>Nosferatu</b>"}, changes...)
	n.Call(http.MethodDelete, "/api/v1/items/"+two, "").WantStatus(t, http.StatusNoContent)
	page.want("Live", []string{long}, append([]string{"DELETED <b>Nosferatu</b>"}, changes...)...)

	axe, err := os.ReadFile(examplePath(t, "frontend/node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	const check = `;axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] })
		.then(({ violations }) => violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))`
	if violations := evaluate[[]string](page, string(axe)+check); len(violations) > 0 {
		t.Errorf("the page is hard to use for some people: %q", violations)
	}

	// On a phone, nothing is wider than the screen.
	ctx, cancel := context.WithTimeout(page.ctx, browsertest.Timeout)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(400, 800)); err != nil {
		t.Fatal(err)
	}
	if width := evaluate[int](page, `document.documentElement.scrollWidth`); width > 400 {
		t.Errorf("the page is %d pixels wide", width)
	}

	page.open() // again: the list is right from the beginning
	page.want("Live", []string{long})

	// The open page lists again what another filter of its token shows.
	n.CreateItem(`{"name":"Sunrise","tags":["drama"]}`)
	n.Call(http.MethodPatch, "/api/v1/tokens/"+made.Field(t, "id"), `{"filter":{"tags":["drama"]}}`).
		WantStatus(t, http.StatusOK)
	page.want("Live", []string{"Sunrise"})
}

// The node is killed, others change the items, and it is started again. The page says so, and shows each change once.
func frontendOutlivesAKilledNode(t *testing.T, built builtPage) {
	address := porttest.Reserve(t)
	environment := []string{"ITEMCAST_DATABASE_URL=" + dbtest.URL(t), "ITEMCAST_PUBLIC_URL=http://" + address,
		"ITEMCAST_ADMIN_EMAIL=" + nodetest.AdminEmail, "ITEMCAST_ADMIN_PASSWORD=" + nodetest.AdminPassword}
	_, other := nodetest.StartServer(t, environment...)
	writer := nodetest.Connect(t, other)
	environment = append(environment, "ITEMCAST_ADDR="+address)
	node, _ := nodetest.StartServer(t, environment...)

	page, use := built.serve(t)
	use("http://"+address, createToken(writer, page.origin))
	one := writer.CreateItem(`{"name":"before","tags":["public"]}`)
	page.open()
	page.want("Live", []string{"before"})

	node.Kill()
	page.want("Away", []string{"before"})
	writer.Call(http.MethodPatch, "/api/v1/items/"+one, `{"name":"changed"}`).WantStatus(t, http.StatusOK)
	writer.CreateItem(`{"name":"meanwhile","tags":["public"]}`)
	node, _ = nodetest.StartServer(t, environment...)
	missed := []string{"CREATED meanwhile", "UPDATED changed"}
	page.want("Live", []string{"meanwhile", "changed"}, missed...)

	node.Kill()
	page.want("Away", []string{"meanwhile", "changed"}, missed...)
	nodetest.StartServer(t, environment...)
	page.want("Live", []string{"meanwhile", "changed"}, missed...)
	writer.CreateItem(`{"name":"after","tags":["public"]}`)
	page.want("Live", []string{"after", "meanwhile", "changed"}, append([]string{"CREATED after"}, missed...)...)
}

func frontendSaysWhyItIsRefused(t *testing.T, built builtPage) {
	n := nodetest.Start(t)
	n.CreateItem(`{"name":"Metropolis","tags":["public"]}`)
	page, use := built.serve(t)

	// A page of an origin that no token names cannot even read the refusal.
	use(n.URL, createToken(n.Client, "https://www.example.com"))
	page.open()
	page.wantText(n.URL + " does not answer pages of " + page.origin)
	page.want("Away", nil)

	// Another token names the origin.
	made := newToken(n.Client, page.origin)
	page.wantText("This page cannot show the items")
	page.want("Refused", nil)

	use(n.URL+"/api/v1", made.Field(t, "secret"))
	page.open()
	page.wantText("answers 404, not as Itemcast does. Correct VITE_ITEMCAST_URL.")
	page.want("Refused", nil)

	use(n.URL+"/", made.Field(t, "secret"))
	page.open()
	page.want("Live", []string{"Metropolis"})
	n.Call(http.MethodDelete, "/api/v1/tokens/"+made.Field(t, "id"), "").WantStatus(t, http.StatusNoContent)
	page.wantText("This page’s access has ended")
	page.want("Refused", nil)
}

// A page of a token's origin, in the browser of somebody who is signed in, at an address of the same host: the browser
// sends the session's cookie with all that the page asks for.
func frontendGetsNothingByACookie(t *testing.T, built builtPage) {
	n := nodetest.Start(t)
	n.CreateItem(`{"name":"Metropolis","tags":["public"]}`)
	page, use := built.serve(t)
	page.origin = page.server.URL
	use(n.URL, createToken(n.Client, page.origin))
	page.open()
	page.want("Live", []string{"Metropolis"})
	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	name, value, _ := strings.Cut(n.Cookies(browser), "=")
	cookie := network.SetCookieParams{Name: name, Value: value, URL: n.URL, SameSite: network.CookieSameSiteLax}
	if _, err := chromedp.Call(page.ctx, network.SetCookie, cookie); err != nil {
		t.Fatal(err)
	}
	const ask = `(async () => {
		const socket = () => new Promise((resolve) => {
			const s = new WebSocket(%q.replace('http', 'ws') + '/graphql', 'graphql-transport-ws');
			s.onopen = () => s.send('{"type":"connection_init"}');
			s.onclose = ({ code }) => resolve('closed ' + code);
			s.onmessage = ({ data }) => resolve(data);
		});
		const send = (init) => fetch(%[1]q + '/api/v1/items', { credentials: 'include', ...init }).then((r) => r.status, () => 'blocked');
		return [await socket(), await send(), await send({ method: 'POST', body: '{"name":"forged"}' })].join(', ');
	})()`
	got := evaluate[string](page, fmt.Sprintf(ask, n.URL))
	if want := "closed 4401, blocked, blocked"; got != want {
		t.Errorf("the page gets %s, want %s", got, want)
	}
	if items := n.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK).Body; strings.Contains(string(items), "forged") {
		t.Errorf("the page made an item: %s", items)
	}
	ctx, cancel := context.WithTimeout(page.ctx, browsertest.Timeout)
	defer cancel()
	own, err := chromedp.RunResponse(ctx, chromedp.Navigate(n.URL+"/api/v1/me"))
	if err != nil || own.Status != http.StatusOK {
		t.Errorf("the browser is not signed in: %+v, %v", own, err)
	}
}

// The program lists what its token shows, follows it over a restart of the server, and ends when the token is revoked.
func TestClients_AProgramWithATokenFollowsWhatTheTokenShows(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	address := porttest.Reserve(t)
	n, stop := nodetest.Serve(t, pool, nodetest.Listen(t, address))
	made := newToken(n.Client)
	one := n.CreateItem(`{"name":"one","tags":["public"]}`)
	n.CreateItem(`{"name":"hidden"}`)
	run := interpreter(t, "node/follow.mjs")
	lines, errs := programWithErrors(t, run[0], append(run[1:], n.URL, made.Field(t, "secret"))...)
	want := func(from <-chan json.RawMessage, line string) {
		t.Helper()
		if got := string(nodetest.Next(t, from)); !strings.HasPrefix(got, line) {
			t.Fatalf("the program says %q, want %q", got, line)
		}
	}
	want(lines, "LISTED "+one+" one")
	two := n.CreateItem(`{"name":"two","tags":["public"]}`)
	want(lines, "CREATED "+two+" two")
	stop()
	want(errs, "The connection is away.")
	n, _ = nodetest.Serve(t, pool, nodetest.Listen(t, address))
	want(errs, "The connection is back.")
	n.PatchItem(one, `{"tags":[]}`)
	want(lines, "LEFT "+one+" one")
	n.Call(http.MethodDelete, "/api/v1/tokens/"+made.Field(t, "id"), "").WantStatus(t, http.StatusNoContent)
	want(errs, n.URL+" refuses the token")
}
