package browse_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"itemcast/internal/browse/form"
	"itemcast/internal/node/nodetest"
)

func TestBrowser_FromTheRootToAnItemThatIsEditedAndDeleted(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"Metropolis","tags":["silent","scifi"],"client_data":{"shelf":[1,{"row":2}]}}`)
	b := openStrangersTab(t, n)
	b.open("/")
	b.follow(`.card[href="/api/v1/"]`)
	b.wantPath("/login?next=%2Fapi%2Fv1%2F")
	if status := b.signIn(nodetest.AdminEmail, "a wrong password"); status != http.StatusUnauthorized {
		t.Errorf("a wrong password leads to status %d", status)
	}
	b.signInAsAdmin()
	b.wantPath("/api/v1/")
	b.waitText(".who a.name", nodetest.AdminEmail)
	b.follow(`.groups a[href="/api/v1/items"]`)
	b.follow(`#body a[href="` + item + `"]`)
	b.wantPath(item)
	b.waitText("h1", "Metropolis")

	editByFields(t, b, item)
	editRaw(t, b, item)
	correctFault(t, b, item)
	deleteAfterConfirmation(t, b, item)
	if found := eval[[]string](b, `violations`); len(found) > 0 {
		t.Errorf("the page breaks its policy: %v", found)
	}

	b.follow(`.who form button`)
	b.wantPath("/login")
	if b.open(item); !strings.HasPrefix(b.path(), "/login?next=") {
		t.Errorf("after signing out, the browser is at %s", b.path())
	}
}

func editByFields(t *testing.T, b *tab, item string) {
	t.Helper()
	b.openForm("patchItem")
	b.fill(`#patchItem-name`, "Metropolis (1927)")
	b.submit("patchItem")
	b.wantPath(item)
	b.waitText(".notice", "Changed: PATCH answered 200 OK.")
	wantItem(t, b.n, item, `"name":"Metropolis (1927)"`, `"tags":["scifi","silent"]`, `"revision":2`)
}

func editRaw(t *testing.T, b *tab, item string) {
	t.Helper()
	b.openForm("replaceItem")
	b.do(chromedp.Click(chromedp.CSS(`#replaceItem .way:not([open]) summary`)))
	if content := b.value("replaceItem-raw-content"); !strings.Contains(content, `"row": 2`) {
		t.Errorf("the editor has %s", content)
	}
	b.fill(`#replaceItem-raw-content`, `{"name": "Replaced", "language": "de"}`)
	b.follow(`#replaceItem .way:nth-of-type(2) button.main`)
	b.waitText(".notice", "Replaced: PUT answered 200 OK.")
	wantItem(t, b.n, item, `"name":"Replaced"`, `"tags":[]`, `"revision":3`)
}

func correctFault(t *testing.T, b *tab, item string) {
	t.Helper()
	b.openForm("patchItem")
	b.fill(`#patchItem-language`, "no such language")
	b.fill(`#patchItem-producer`, "UFA")
	if status := b.submit("patchItem"); status != http.StatusBadRequest {
		t.Errorf("a bad form leads to status %d", status)
	}
	b.waitText("#patchItem-language-error", "must be a BCP 47 language tag")
	for id, want := range map[string]string{"patchItem-language": "no such language", "patchItem-producer": "UFA"} {
		if got := b.value(id); got != want {
			t.Errorf("%s: %q became %q", id, want, got)
		}
	}
	b.fill(`#patchItem-language`, "fr")
	b.submit("patchItem")
	wantItem(t, b.n, item, `"language":"fr"`, `"producer":"UFA"`, `"revision":4`)
}

func deleteAfterConfirmation(t *testing.T, b *tab, item string) {
	t.Helper()
	b.openForm("deleteItem")
	b.do(chromedp.Click(chromedp.CSS(`#deleteItem button.main`))) // the browser demands the checkbox
	b.n.Call(http.MethodGet, item, "").WantStatus(t, http.StatusOK)
	b.do(chromedp.Click(chromedp.CSS(`#deleteItem input[type=checkbox]`)))
	b.submit("deleteItem")
	b.waitText(".notice", "Deleted: DELETE answered 204 No Content.")
	b.wantPath("/api/v1/items")
	b.n.Call(http.MethodGet, item, "").WantStatus(t, http.StatusNotFound)
	if status := b.open(item); status != http.StatusNotFound || !strings.Contains(b.text(".problem"), "NOT_FOUND") {
		t.Errorf("the page of a deleted item has status %d", status)
	}
}

// The page of a form's answer has the address of the form, but not its other forms: links to them load the address
// again.
func TestBrowser_LinksToFormsWorkOnThePageOfAnAnswer(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	b := openTab(t, n)
	b.open("/api/v1/hooks")
	b.openForm("createHook")
	b.fill(`#createHook-url`, "http://127.0.0.1:9999/")
	b.followTo(`#createHook form button.main`, http.StatusCreated)
	b.waitText("#body", "whsec_")
	b.follow(`#operations a[data-op="createHook"]`)
	b.do(chromedp.Query(chromedp.CSS(`#createHook-url:focus`)))
}

func TestBrowser_PasswordsAreNotShown(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	b := openTab(t, n)
	b.open("/api/v1/me/password")
	for _, which := range []string{"current", "new"} {
		id := "changeMyPassword-" + which + "_password"
		if kind := eval[string](b, `document.getElementById('`+id+`').type`); kind != "password" {
			t.Errorf("%s has the type %q", id, kind)
		}
	}
	b.fill(`#changeMyPassword-current_password`, nodetest.AdminPassword)
	b.fill(`#changeMyPassword-new_password`, "password")
	b.followTo(`#changeMyPassword form button.main`, http.StatusUnprocessableEntity) // the password is too common
	b.waitText("#changeMyPassword-new_password-error", "")
	page := eval[string](b, `document.documentElement.outerHTML`)
	if strings.Contains(page, nodetest.AdminPassword) ||
		!strings.Contains(page, `{"current_password":"…","new_password":"…"}`) {
		t.Errorf("the page shows %s", b.text("main"))
	}
}

func TestBrowser_AStaleFormShowsWhatOthersChangedAndCanBeSentAgain(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"Metropolis","tags":["silent"]}`)
	b := openStrangersTab(t, n)
	b.open(item)
	b.signInAsAdmin()
	b.openForm("patchItem")
	b.fill(`#patchItem-name`, "Mine")
	b.do(chromedp.Query(chromedp.CSS(`body[data-follows]`))) // the page misses no change from here on
	n.Call(http.MethodPatch, item, `{"producer":"UFA","name":"Theirs"}`).WantStatus(t, http.StatusOK)
	b.waitText("#live", "This has changed since you loaded it: name, producer.")

	b.followTo(`#patchItem form button.main`, http.StatusPreconditionFailed)
	b.waitText(".problem", "REVISION_MISMATCH")
	b.waitText(".changed", `"UFA"`)
	b.waitText(".changed", "You changed it too")
	wantItem(t, n, item, `"name":"Theirs"`)
	b.submit("patchItem")
	wantItem(t, n, item, `"name":"Mine"`, `"producer":"UFA"`, `"revision":3`)
}

func TestBrowser_WithoutScriptUsersReadFilterPageAndFillInForms(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for i := range 5 {
		createItem(n, fmt.Sprintf(`{"name":"item %d","type":"audio","tags":["t, %d"]}`, i, i%2))
	}
	b := openTab(t, n).withoutScript()
	b.open("/api/v1/items")
	b.do(chromedp.Click(chromedp.CSS("#filter > summary")))
	b.fill("#listItems-tags", "t, 0\nt, 1")
	b.fill("#listItems-limit", "2")
	b.do(chromedp.Click(chromedp.CSS(`#filter input[name="type"][value="audio"]`)))
	b.fill("#listItems-sort", "name")
	b.follow("#filter button.main")
	b.wantPath("/api/v1/items?limit=2&sort=name&tags=t%2C+0&tags=t%2C+1&type=audio")
	wantItems(t, b, 0, 1)
	b.follow(`a[rel=next]`)
	wantItems(t, b, 2, 3)
	b.follow(`a[rel=prev]`)
	wantItems(t, b, 0, 1)

	b.do(chromedp.Click(chromedp.CSS("#createItem > summary")))
	b.fill("#createItem-name", "By form")
	b.fill("#createItem-type", "live")
	b.submit("createItem")
	b.waitText(".notice", "Created: POST answered 201 Created.")
	b.waitText("#body", `"name":"By form"`)
	b.waitText("#body", `"type":"live"`)
	if !strings.HasPrefix(b.path(), "/api/v1/items/") {
		t.Errorf("the form led to %s", b.path())
	}

	b.fill("#search", "hook")
	b.do(chromedp.Focus(chromedp.CSS("#search")))
	b.load(chromedp.KeyEvent(kb.Enter))
	b.waitText(".found", "operations mention “hook”.")
}

// wantItems checks which of the five items a page lists.
func wantItems(t *testing.T, b *tab, want ...int) {
	t.Helper()
	body := b.text("#body")
	var got []int
	for i := range 5 {
		if strings.Contains(body, fmt.Sprintf(`"item %d"`, i)) {
			got = append(got, i)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the page lists items %v, want %v", got, want)
	}
}

func TestForm_OfAnotherOriginIsRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := createItem(n, `{"name":"a"}`)
	const text = "_method=DELETE"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL+item, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(nodetest.AdminEmail, nodetest.AdminPassword)
	r.Header.Set("Content-Type", form.ContentType)
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusForbidden ||
		!strings.Contains(string(body), "A page of another origin cannot change anything here.") ||
		!strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
		t.Errorf("got %d %s", response.StatusCode, body)
	}
	n.Call(http.MethodGet, item, "").WantStatus(t, http.StatusOK)
	n.Call(http.MethodPost, item, text, "Content-Type", form.ContentType).
		WantProblem(t, "a program's form", http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
}
