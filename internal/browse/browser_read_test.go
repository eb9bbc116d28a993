package browse_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"itemcast/internal/node/nodetest"
)

func TestBrowser_NothingThatPeopleWriteBecomesMarkup(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const attack = `</textarea></code></pre>\"><script>window.hit=1</script><img src=x onerror=window.hit=1>'\u2028`
	item := createItem(n, strings.ReplaceAll(`{"name":"ATTACK","description":"ATTACK","tags":["ATTACK"],`+
		`"client_data":{"ATTACK":"ATTACK"},"assets":[{"kind":"source","content_type":"video/mp4",`+
		`"url":"https://example.com/\"onclick=window.hit=1"}]}`, "ATTACK", attack))
	const query = "%22%3E%3Cscript%3Ewindow.hit%3D1%3C%2Fscript%3E"
	b := openTab(t, n)
	for _, path := range []string{
		item, item + "/history", "/api/v1/items", "/api/v1/tags", "/api/v1/?q=" + query,
		"/api/v1/items?search=" + query + "&metadata.%22%3E%3Cimg+src%3Dx+onerror%3Dhit%3D1%3E=%3Cscript%3E",
		"/api/v1/%3Cscript%3Ewindow.hit=1%3C/script%3E", "/%3Cscript%3E",
	} {
		b.open(path)
		const markup = `main script, main img, main [onerror], main [onclick], main [style]`
		if eval[bool](b, `'hit' in window || document.querySelector('`+markup+`') !== null || violations.length > 0`) {
			t.Errorf("%s: text became markup: %v", path, eval[[]string](b, `violations`))
		}
	}
	b.open(item)
	want := strings.NewReplacer(`\"`, `"`, `\u2028`, "\u2028").Replace(attack)
	if got := b.value("patchItem-name"); got != want {
		t.Errorf("the form has %q, want %q", got, want)
	}
	b.openForm("patchItem")
	b.submit("patchItem")
	wantItem(t, n, item, `"revision":1`) // an untouched form changes nothing
}

// pageCursor is the cursor of a page of changes, which is another text in every answer.
var pageCursor = regexp.MustCompile(`("cursor":"|after=)[\w-]{32}(","more"|&limit)`)

func withoutCursor(body string) string { return pageCursor.ReplaceAllString(body, "${1}C$2") }

func TestBrowser_TheBodyIsTheAnswerByteForByte(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"Métropolis <&> \u2029\ud83c\udfac 'x'","description":"two\r\nlines\ttab",`+
		`"tags":["a"],"client_data":{"a":{},"b":[],"c":1.50,"d":"`+n.URL+`/api/v1/items?a=1&b=2"}}`)
	for i := range 4 {
		createItem(n, fmt.Sprintf(`{"name":"item %d"}`, i))
	}
	b := openTab(t, n)
	for _, path := range []string{
		item, "/api/v1/items?limit=2", "/api/v1/items?count=true&sort=name", item + "/history", "/api/v1/tags",
		"/api/v1/", "/api/v1/me", "/api/v1/hooks", "/api/v1/metadata-fields", "/api/v1/items?limit=0",
		"/api/v1/items/nothing", "/api/v1/changes?limit=3", "/api/v1/items/export",
	} {
		accept := "application/json"
		if strings.HasSuffix(path, "export") {
			accept = "*/*"
		}
		want := n.Call(http.MethodGet, path, "", "Accept", accept)
		b.open(path)
		got := eval[string](b, `document.getElementById('body').textContent`)
		if withoutCursor(got) != withoutCursor(string(want.Body)) {
			t.Errorf("%s\nshows %s\nis    %s", path, got, want.Body)
		}
		if got := b.text("#status"); got != fmt.Sprintf("%d %s", want.Status, http.StatusText(want.Status)) {
			t.Errorf("%s shows the status %s", path, got)
		}
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		plain := n.Call(http.MethodGet, path+separator+"format=json", "", "Accept", "text/html")
		if withoutCursor(string(plain.Body)) != withoutCursor(string(want.Body)) || plain.Status != want.Status {
			t.Errorf("%s: format=json answers %d %s", path, plain.Status, plain.Body)
		}
	}
}

func TestBrowser_KeysReachEverything(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	createItem(n, `{"name":"a"}`)
	b := openTab(t, n)
	b.open("/api/v1/items")
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first Tab leads to %q", got)
	}
	if got := eval[string](b, `document.querySelector('.skip').click(), document.activeElement.id`); got != "main" {
		t.Errorf("the link to the content leads to %q", got)
	}
	b.do(chromedp.KeyEvent("/"))
	if got := eval[string](b, `document.activeElement.id`); got != "search" {
		t.Errorf("/ leads to %q", got)
	}
	eval[any](b, `document.getElementById('search').value = ''`) // chromedp types the /, too
	b.do(chromedp.KeyEvent("list tags"))
	if got := eval[int](b, `document.querySelectorAll('#operations li:not([hidden])').length`); got != 1 {
		t.Errorf("%d operations match", got)
	}
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	if got := eval[string](b, `document.activeElement.innerText.replace(/\s+/g, ' ')`); got != "GET List tags" {
		t.Errorf("the arrow leads to %q", got)
	}
	if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
		t.Errorf("the focus has the outline %s", outline)
	}
	b.load(chromedp.KeyEvent(kb.Enter))
	b.wantPath("/api/v1/tags")
}

func TestBrowser_PagesFitANarrowScreen(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"`+strings.Repeat("x", 400)+`","description":"a b c"}`)
	b := openTab(t, n)
	b.do(chromedp.EmulateViewport(400, 800))
	const (
		openAll = `document.querySelectorAll('details').forEach((d) => { d.open = true })`
		tooWide = `[...document.querySelectorAll('main *')]
			.filter((e) => e.getBoundingClientRect().right > 401 && !e.closest('.wide'))
			.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join('\n')`
	)
	for _, path := range []string{
		"/api/v1/", "/api/v1/?op=patchItem", "/api/v1/items", item, "/api/v1/items?limit=0", "/api/v1/hooks",
	} {
		b.open(path)
		if width := eval[int](b, `(`+openAll+`, document.documentElement.scrollWidth)`); width > 400 {
			t.Errorf("%s is %d pixels wide: %s", path, width, eval[string](b, tooWide))
		}
	}
}

func TestStatements_APageCostsWhatItsAnswerCosts(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	item := ""
	for i := range 60 {
		item = createItem(n, fmt.Sprintf(`{"name":"item %d","tags":["a"]}`, i))
	}
	n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"http://127.0.0.1:9999/"}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodGet, "/api/v1/me", "") // from here on, the node remembers the sign-in
	for _, path := range []string{
		"/api/v1/", "/api/v1/items", item, item + "/history", "/api/v1/tags", "/api/v1/hooks",
		"/api/v1/metadata-fields", "/api/v1/me", "/api/v1/items/nothing", "/api/v1/items?limit=0",
		item + "/trigger-hook", "/api/v1/?q=item", "/api/v1/items?tags=a&count=true",
	} {
		asked, _, _ := strings.Cut(path, "?q=") // a search is the page's own
		answer := trace.During(func() { n.Call(http.MethodGet, asked, "", "Accept", "*/*") })
		page := trace.During(func() { loadPage(t, n, path) })
		if !slices.Equal(page, answer) {
			t.Errorf("%s: the page makes %q, the answer %q", path, page, answer)
		}
	}
}

// loadPage loads a page without a browser, which would also load the assets.
func loadPage(t *testing.T, n *nodetest.Node, path string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
	r.Header.Set("Accept", "text/html")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/html") {
		t.Errorf("%s is no page: %s", path, got)
	}
}
