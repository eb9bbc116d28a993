package browse_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"itemcast/internal/node/nodetest"
)

// made makes an item, and returns its path.
func createItem(n *nodetest.Node, input string) string {
	n.T.Helper()
	return "/api/v1/items/" + n.Call(http.MethodPost, "/api/v1/items", input).WantStatus(n.T, http.StatusCreated).Field(n.T, "id")
}

func TestBrowse_FromTheRootToAnItemThatIsEditedAndDeleted(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"Metropolis","tags":["silent","scifi"],"metadata":{},"client_data":{"shelf":[1,{"row":2}]}}`)
	b := openStrangersTab(n, t)
	b.open("/")
	b.follow(`.card[href="/api/v1/"]`)
	if b.path() != "/login?next=%2Fapi%2Fv1%2F" {
		t.Fatalf("a stranger is led to %s", b.path())
	}
	if status := b.signIn(nodetest.AdminEmail, "a wrong password"); status != http.StatusUnauthorized {
		t.Errorf("a wrong password answers %d", status)
	}
	if status := b.signIn(nodetest.AdminEmail, nodetest.AdminPassword); status != http.StatusOK || b.path() != "/api/v1/" {
		t.Fatalf("signing in leads to %d at %s", status, b.path())
	}
	b.says(".who a.name", nodetest.AdminEmail)
	b.follow(`.groups a[href="/api/v1/items"]`)
	b.follow(`#body a[href="` + item + `"]`)
	if got := b.text("h1"); got != "Metropolis" || b.path() != item {
		t.Fatalf("it is %q at %s", got, b.path())
	}

	// By the form.
	b.unfold("patchItem")
	b.fill(`#patchItem-name`, "Metropolis (1927)")
	if status := b.follow(`#patchItem form button.main`); status != http.StatusOK || b.path() != item {
		t.Fatalf("the form led to %d at %s", status, b.path())
	}
	b.says(".notice", "Changed: PATCH answered 200 OK.")
	wantBody(n.Call(http.MethodGet, item, ""), t, `"name":"Metropolis (1927)"`, `"tags":["scifi","silent"]`, `"revision":2`)

	// By hand.
	b.unfold("replaceItem")
	b.do(chromedp.Click(chromedp.CSS(`#replaceItem .way:not([open]) summary`)))
	if content := eval[string](b, `document.getElementById('replaceItem-raw-content').value`); !strings.Contains(content, `"row": 2`) {
		t.Errorf("the editor has %s", content)
	}
	b.fill(`#replaceItem-raw-content`, `{"name": "Replaced", "language": "de"}`)
	b.follow(`#replaceItem .way:nth-of-type(2) button.main`)
	b.says(".notice", "Replaced: PUT answered 200 OK.")
	wantBody(n.Call(http.MethodGet, item, ""), t, `"name":"Replaced"`, `"tags":[]`, `"revision":3`)

	// What is wrong stands at its field, and what was typed stays.
	b.unfold("patchItem")
	b.fill(`#patchItem-language`, "no such language")
	b.fill(`#patchItem-producer`, "UFA")
	if status := b.follow(`#patchItem form button.main`); status != http.StatusBadRequest {
		t.Errorf("a bad form answers %d", status)
	}
	b.says("#patchItem-language-error", "must be a BCP 47 language tag")
	if kept := eval[[]string](b, `['language', 'producer'].map((name) => document.getElementById('patchItem-' + name).value)`); kept[0] != "no such language" || kept[1] != "UFA" {
		t.Errorf("what was typed became %q", kept)
	}
	b.fill(`#patchItem-language`, "fr")
	b.follow(`#patchItem form button.main`)
	wantBody(n.Call(http.MethodGet, item, ""), t, `"language":"fr"`, `"producer":"UFA"`, `"revision":4`)

	// Nothing is deleted by a slip.
	b.unfold("deleteItem")
	b.do(chromedp.Click(chromedp.CSS(`#deleteItem button.main`)))
	n.Call(http.MethodGet, item, "").WantStatus(t, http.StatusOK)
	b.do(chromedp.Click(chromedp.CSS(`#deleteItem input[type=checkbox]`)))
	b.follow(`#deleteItem button.main`)
	b.says(".notice", "Deleted: DELETE answered 204 No Content.")
	if b.path() != "/api/v1/items" {
		t.Errorf("it led to %s", b.path())
	}
	n.Call(http.MethodGet, item, "").WantStatus(t, http.StatusNotFound)
	if status := b.open(item); status != http.StatusNotFound || !strings.Contains(b.text(".problem"), "NOT_FOUND") {
		t.Errorf("a deleted item answers %d", status)
	}
	if found := eval[[]string](b, `violations`); len(found) > 0 {
		t.Errorf("the page broke its policy: %v", found)
	}

	if b.follow(`.who form button`); b.path() != "/login" {
		t.Errorf("signing out led to %s", b.path())
	}
	if b.open(item); !strings.HasPrefix(b.path(), "/login?next=") {
		t.Errorf("who has signed out sees %s", b.path())
	}
}

// The page of an answer has the address of the form that was sent; what its links lead to at that address is there for the asking.
func TestBrowse_LinksToFormsLeadThereFromAnAnswerToo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	b := openTab(n, t)
	b.open("/api/v1/hooks")
	b.unfold("createHook")
	b.fill(`#createHook-url`, "http://127.0.0.1:9999/")
	if status := b.follow(`#createHook form button.main`); status != http.StatusCreated {
		t.Fatalf("the form answers %d", status)
	}
	b.says("#body", "whsec_")
	b.follow(`#operations a[data-op="createHook"]`)
	b.do(chromedp.Query(chromedp.CSS(`#createHook-url:focus`)))
	b.open("/api/v1/items")
	if focused := eval[string](b, `document.querySelector('.skip').click(), document.activeElement.id`); focused != "main" {
		t.Errorf("who skips to the content is at %q", focused)
	}
}

func TestBrowse_APasswordIsNotShown(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	b := openTab(n, t)
	b.open("/api/v1/me/password")
	if kinds := eval[[]string](b, `['current', 'new'].map((which) => document.getElementById('changeMyPassword-' + which + '_password').type)`); kinds[0] != "password" || kinds[1] != "password" {
		t.Errorf("passwords are typed into fields of the types %q", kinds)
	}
	b.fill(`#changeMyPassword-current_password`, nodetest.AdminPassword)
	b.fill(`#changeMyPassword-new_password`, "password")
	if status := b.follow(`#changeMyPassword form button.main`); status != http.StatusUnprocessableEntity {
		t.Errorf("a password that everybody tries answers %d", status)
	}
	b.says("#changeMyPassword-new_password-error", "")
	if page := eval[string](b, `document.documentElement.outerHTML`); strings.Contains(page, nodetest.AdminPassword) || !strings.Contains(page, `{"current_password":"…","new_password":"…"}`) {
		t.Errorf("the page shows %s", b.text("main"))
	}
}

func wantBody(a nodetest.Response, t *testing.T, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(string(a.Body), text) {
			t.Errorf("no %s in %s", text, a.Body)
		}
	}
}

func TestBrowse_AStaleFormShowsWhatChangedAndCanBeSentAgain(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"Metropolis","tags":["silent"]}`)
	b := openStrangersTab(n, t)
	b.open(item)
	b.signIn(nodetest.AdminEmail, nodetest.AdminPassword)
	b.unfold("patchItem")
	b.fill(`#patchItem-name`, "Mine")
	n.Call(http.MethodPatch, item, `{"producer":"UFA","name":"Theirs"}`).WantStatus(t, http.StatusOK)
	b.says("#live", "This has changed since you loaded it: name, producer.")

	if status := b.follow(`#patchItem form button.main`); status != http.StatusPreconditionFailed {
		t.Fatalf("a stale form answers %d", status)
	}
	b.says(".problem", "REVISION_MISMATCH")
	b.says(".changed", `"UFA"`)
	b.says(".changed", "You changed it too")
	wantBody(n.Call(http.MethodGet, item, ""), t, `"name":"Theirs"`)
	b.follow(`#patchItem form button.main`)
	wantBody(n.Call(http.MethodGet, item, ""), t, `"name":"Mine"`, `"producer":"UFA"`, `"revision":3`)
}

// What people write is text, whatever it looks like.
func TestBrowse_NothingThatIsWrittenBecomesMarkup(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	const attack = `</textarea></code></pre>\"><script>window.hit=1</script><img src=x onerror=window.hit=1>'\u2028`
	item := createItem(n, `{"name":"`+attack+`","description":"`+attack+`","tags":["`+attack+`"],"client_data":{"`+attack+`":"`+attack+`"},"assets":[{"kind":"source","url":"https://example.com/\"onclick=window.hit=1","content_type":"video/mp4"}]}`)
	b := openTab(n, t)
	for _, path := range []string{item, "/api/v1/items?search=%22%3E%3Cscript%3Ewindow.hit%3D1%3C%2Fscript%3E&metadata.%22%3E%3Cimg+src%3Dx+onerror%3Dhit%3D1%3E=%3Cscript%3E", "/api/v1/items", "/api/v1/tags",
		item + "/history", "/api/v1/%3Cscript%3Ewindow.hit=1%3C/script%3E", "/api/v1/?q=%22%3E%3Cscript%3Ewindow.hit%3D1%3C%2Fscript%3E", "/%3Cscript%3E"} {
		b.open(path)
		if hit := eval[bool](b, `'hit' in window || document.querySelectorAll('main script, main img, main [onerror], main [onclick], main [style]').length > 0 || violations.length > 0`); hit {
			t.Errorf("%s: what was written became markup: %v", path, eval[[]string](b, `violations`))
		}
	}
	b.open(item)
	if got := eval[string](b, `document.getElementById('patchItem-name').value`); got != strings.NewReplacer(`\"`, `"`, `\u2028`, "\u2028").Replace(attack) {
		t.Errorf("the form has %q", got)
	}
	b.unfold("patchItem")
	b.follow(`#patchItem form button.main`)
	wantBody(n.Call(http.MethodGet, item, ""), t, `"revision":1`) // an untouched form changes nothing
}

func TestBrowse_TheBodyIsTheAPIsByteForByte(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"Métropolis <&> \u2029\ud83c\udfac 'x'","description":"two\r\nlines\ttab","tags":["a"],"client_data":{"a":{},"b":[],"c":1.50,"d":"`+n.URL+`/api/v1/items?a=1&b=2"}}`)
	for i := range 4 {
		createItem(n, fmt.Sprintf(`{"name":"item %d"}`, i))
	}
	b := openTab(n, t)
	for _, path := range []string{item, "/api/v1/items?limit=2", "/api/v1/items?count=true&sort=name", item + "/history", "/api/v1/tags", "/api/v1/", "/api/v1/me", "/api/v1/hooks", "/api/v1/metadata-fields",
		"/api/v1/items?limit=0", "/api/v1/items/nothing", "/api/v1/changes?limit=3", "/api/v1/items/export"} {
		accept := "application/json"
		if strings.HasSuffix(path, "export") {
			accept = "*/*"
		}
		want := n.Call(http.MethodGet, path, "", "Accept", accept)
		b.open(path)
		if got := eval[string](b, `document.getElementById('body').textContent`); got != string(want.Body) {
			t.Errorf("%s\nshows %s\nis    %s", path, got, want.Body)
		}
		if got := b.text("#status"); got != fmt.Sprintf("%d %s", want.Status, http.StatusText(want.Status)) {
			t.Errorf("%s shows the status %s", path, got)
		}
		plain := n.Call(http.MethodGet, path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"format=json", "", "Accept", "text/html")
		if string(plain.Body) != string(want.Body) || plain.Status != want.Status {
			t.Errorf("%s: format=json answers %d %s", path, plain.Status, plain.Body)
		}
	}
}

func TestBrowse_WithoutScriptOneCanReadFilterPageAndFillIn(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for i := range 5 {
		createItem(n, fmt.Sprintf(`{"name":"item %d","type":"audio","tags":["t%d"]}`, i, i%2))
	}
	b := openTab(n, t).withoutScript()
	b.open("/api/v1/items")
	b.do(chromedp.Click(chromedp.CSS("#filter > summary")))
	b.fill("#listItems-tags", "t0, t1")
	b.fill("#listItems-limit", "2")
	b.do(chromedp.Click(chromedp.CSS(`#filter input[name="type"][value="audio"]`)))
	b.fill("#listItems-sort", "name")
	b.follow("#filter button.main")
	if got := b.path(); got != "/api/v1/items?limit=2&sort=name&tags=t0,t1&type=audio" {
		t.Errorf("the filter led to %s", got)
	}
	if body := b.text("#body"); !strings.Contains(body, `"item 0"`) || !strings.Contains(body, `"item 1"`) || strings.Contains(body, `"item 2"`) {
		t.Errorf("page 1: %s", body)
	}
	b.follow(`a[rel=next]`)
	if body := b.text("#body"); !strings.Contains(body, `"item 2"`) || strings.Contains(body, `"item 1"`) {
		t.Errorf("page 2: %s", body)
	}
	b.follow(`a[rel=prev]`)
	b.do(chromedp.Click(chromedp.CSS("#createItem > summary")))
	b.fill("#createItem-name", "By form")
	b.fill("#createItem-type", "live")
	b.follow("#createItem form button.main")
	b.says(".notice", "Created: POST answered 201 Created.")
	if !strings.HasPrefix(b.path(), "/api/v1/items/") || !strings.Contains(b.text("#body"), `"name":"By form"`) || !strings.Contains(b.text("#body"), `"type":"live"`) {
		t.Errorf("it led to %s: %s", b.path(), b.text("#body"))
	}
	b.fill("#search", "hook")
	b.do(chromedp.Focus(chromedp.CSS("#search")))
	b.load(chromedp.KeyEvent(kb.Enter))
	b.says(".found", "operations mention “hook”.")
}

func TestBrowse_AnotherOriginsFormDoesNothing(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"a"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL+item, strings.NewReader("_method=DELETE"))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
	for name, value := range map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Sec-Fetch-Site": "cross-site"} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "A page of another origin cannot change anything here.") ||
		!strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		t.Errorf("got %d %s: %v", response.StatusCode, body, err)
	}
	n.Call(http.MethodGet, item, "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodPost, item, "_method=DELETE", "Content-Type", "application/x-www-form-urlencoded").WantProblem(t, "a client's form", http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
}

func TestBrowse_ByKeyboard(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	createItem(n, `{"name":"a"}`)
	b := openTab(n, t)
	b.open("/api/v1/items")
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := eval[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first stop is %q", got)
	}
	b.do(chromedp.KeyEvent("/"))
	if got := eval[string](b, `document.activeElement.id`); got != "search" {
		t.Errorf("/ leads to %q", got)
	}
	eval[any](b, `document.getElementById('search').value = ''`) // the test's keyboard types the / all the same
	b.do(chromedp.KeyEvent("list tags"))
	if got := eval[int](b, `document.querySelectorAll('#operations li:not([hidden])').length`); got != 1 {
		t.Errorf("%d operations are left", got)
	}
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	if got := eval[string](b, `document.activeElement.innerText.replace(/\s+/g, ' ')`); got != "GET List tags" {
		t.Errorf("the arrow led to %q", got)
	}
	if outline := eval[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
		t.Errorf("the focus is not seen: %s", outline)
	}
	b.load(chromedp.KeyEvent(kb.Enter))
	if b.path() != "/api/v1/tags" {
		t.Errorf("it led to %s", b.path())
	}
}

func TestBrowse_FitsANarrowScreen(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"`+strings.Repeat("x", 400)+`","description":"a b c"}`)
	b := openTab(n, t)
	b.do(chromedp.EmulateViewport(400, 800))
	for _, path := range []string{"/api/v1/", "/api/v1/?op=patchItem", "/api/v1/items", item, "/api/v1/items?limit=0", "/api/v1/hooks"} {
		b.open(path)
		if width := eval[int](b, `(document.querySelectorAll('details').forEach((d) => { d.open = true }), document.documentElement.scrollWidth)`); width > 400 {
			t.Errorf("%s is %d pixels wide: %s", path, width,
				eval[string](b, `[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > 401 && !e.closest('.wide')).slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join('\n')`))
		}
	}
}

// A page asks the database for nothing that the plain answer does not ask it for.
func TestStatements_APageCostsWhatItsAnswerCosts(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	item := ""
	for i := range 60 {
		item = createItem(n, fmt.Sprintf(`{"name":"item %d","tags":["a"]}`, i))
	}
	n.Call(http.MethodPost, "/api/v1/hooks", `{"url":"http://127.0.0.1:9999/"}`).WantStatus(t, http.StatusCreated)
	n.Call(http.MethodGet, "/api/v1/me", "") // the sign-in is remembered from here on
	for _, path := range []string{"/api/v1/", "/api/v1/items", item, item + "/history", "/api/v1/tags", "/api/v1/hooks", "/api/v1/metadata-fields", "/api/v1/me", "/api/v1/items/nothing",
		"/api/v1/items?limit=0", item + "/trigger-hook", "/api/v1/?q=item", "/api/v1/items?tags=a&count=true"} {
		plain := trace.During(func() { n.Call(http.MethodGet, path, "", "Accept", "*/*") })
		if strings.Contains(path, "?q=") {
			plain = trace.During(func() { n.Call(http.MethodGet, "/api/v1/", "") })
		}
		page := trace.During(func() { fetchPage(n, path, "text/html") })
		if strings.Join(page, ", ") != strings.Join(plain, ", ") {
			t.Errorf("%s: the page makes %q, the answer %q", path, page, plain)
		}
	}
}

// fetch gets what is no answer of the API.
func fetchPage(n *nodetest.Node, path, accept string) string {
	n.T.Helper()
	request, err := http.NewRequestWithContext(n.T.Context(), http.MethodGet, n.URL+path, http.NoBody)
	if err != nil {
		n.T.Fatal(err)
	}
	request.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		n.T.Fatal(err)
	}
	defer response.Body.Close()
	var body strings.Builder
	if _, err := fmt.Fprint(&body, response.Header.Get("Content-Type")); err != nil {
		n.T.Fatal(err)
	}
	if !strings.HasPrefix(body.String(), "text/html") {
		n.T.Errorf("%s is no page: %s", path, body.String())
	}
	return body.String()
}
