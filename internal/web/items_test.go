package web_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// page returns the text of a page.
func page(t testing.TB, c *nodetest.Client, path string, status int, header ...string) string {
	t.Helper()
	return string(c.Page(c.Browser(), path, header...).WantStatus(t, status).Body)
}

// post sends a form of a page, and returns the answer.
func post(t testing.TB, c *nodetest.Client, path string, form url.Values) nodetest.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", c.Authorization)
	got, err := c.Browser().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return nodetest.Response{Status: got.StatusCode, Header: got.Header, Body: body}
}

func wantText(t testing.TB, body string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(body, text) {
			_, main, _ := strings.Cut(body, "<main")
			t.Errorf("the page has no %q:\n%.3000s", text, main)
		}
	}
}

func wantNoText(t testing.TB, body string, unwanted ...string) {
	t.Helper()
	for _, text := range unwanted {
		if strings.Contains(body, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

var rowName = regexp.MustCompile(`<td class="name"><a href="[^"]*">([^<]*)</a>`)

// rowNames returns the names of the rows of a list.
func rowNames(body string) (names []string) {
	for _, found := range rowName.FindAllStringSubmatch(body, -1) {
		names = append(names, html.UnescapeString(found[1]))
	}
	return names
}

func TestItems_StrangersAreLedToTheSignIn(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	stranger := n.WithAuthorization("")
	got := stranger.Page(stranger.Browser(), "/items?tags=a%26b").WantStatus(t, http.StatusSeeOther)
	if to := got.Header.Get("Location"); to != "/login?next=%2Fitems%3Ftags%3Da%2526b" {
		t.Errorf("they are led to %s", to)
	}
	got = stranger.Page(stranger.Browser(), "/items/rows?id="+uuid.NewString(), "X-Requested-With", "XMLHttpRequest")
	got.WantStatus(t, http.StatusUnauthorized)
	if got.Header.Get("WWW-Authenticate") != "" {
		t.Error("the browser opens a dialog over the page")
	}
}

func TestItems_OneWithoutThePermissionIsToldSo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	poor := n.CreateUser("poor@example.com", n.CreateRole("Poor", account.APIAccess))
	wantText(t, page(t, poor, "/items", http.StatusForbidden), "items.view", "Not allowed")
	none := n.CreateUser("none@example.com", n.CreateRole("None", account.ItemsView))
	wantText(t, page(t, none, "/items", http.StatusForbidden), "api.access")
}

func TestItems_AreFilteredSortedAndPagedByTheAddress(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for i := range 60 {
		n.CreateItem(fmt.Sprintf(`{"name":"Film %02d","tags":["film","a, b"],"type":%q}`, i, []string{"video", "audio"}[i%2]))
	}
	n.CreateItem(`{"name":"<b>Nosferatu</b> & more","tags":["R&D #1"],"duration":5703.4,"privacy":"public"}`)
	body := page(t, n.Client, "/items", http.StatusOK)
	wantText(t, body, "&lt;b&gt;Nosferatu&lt;/b&gt; &amp; more", "1:35:03", "Public", `href="/items?tags=R%26D&#43;%231"`)
	if got := rowNames(body); len(got) != 50 || got[1] != "Film 59" {
		t.Errorf("the first page has %q", got)
	}
	next := regexp.MustCompile(`rel="next" href="([^"]*)"`).FindStringSubmatch(body)
	if next == nil {
		t.Fatal("there is no next page")
	}
	second := page(t, n.Client, html.UnescapeString(next[1]), http.StatusOK)
	if got := rowNames(second); len(got) != 11 || got[10] != "Film 00" {
		t.Errorf("the second page has %q", got)
	}
	wantText(t, second, `rel="prev"`)
	body = page(t, n.Client, "/items?tags=a%2C%20b&type=audio&sort=name", http.StatusOK)
	if got := rowNames(body); len(got) != 30 || got[0] != "Film 01" {
		t.Errorf("the filtered list has %q", got)
	}
	wantText(t, body, `aria-sort="ascending"`, "Tag: a, b", "Type: Audio", `href="/items?sort=-name&amp;tags=a%2C&#43;b&amp;type=audio"`)
	if got := rowNames(page(t, n.Client, "/items?search=nosferatu", http.StatusOK)); len(got) != 1 {
		t.Errorf("the search finds %q", got)
	}
	wantText(t, page(t, n.Client, "/items?search=nothing", http.StatusOK), "No item matches", "Show all")
	got := n.Page(n.Browser(), "/items?search=&type=audio&privacy=&bogus=1&type=nonsense")
	if to := got.WantStatus(t, http.StatusSeeOther).Header.Get("Location"); to != "/items?type=audio" {
		t.Errorf("the form leads to %s", to)
	}
	wantText(t, page(t, n.Client, "/items?search="+strings.Repeat("x", 501), http.StatusBadRequest), "must have at most 500 characters")
	page(t, n.Client, "/items?after=nonsense", http.StatusBadRequest)
}

func TestItems_AnEmptyAccountSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	wantText(t, page(t, n.Client, "/items", http.StatusOK), "There are no items yet", "itemcast import")
}

// The budget of the issue: at most 4 statements for a page of 50 items.
func TestItems_APageOf50TakesFewStatements(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	for i := range 60 {
		n.CreateItem(fmt.Sprintf(`{"name":"item %d","tags":["a","b"]}`, i))
	}
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"director","label":"Director","kind":"text"}`).
		WantStatus(t, http.StatusCreated)
	for name, path := range map[string]string{
		"list": "/items", "search": "/items?search=item", "filters": "/items?tags=a&type=video&metadata.director=x",
	} {
		page(t, n.Client, path, http.StatusOK)
		if ran := trace.During(func() { page(t, n.Client, path, http.StatusOK) }); len(ran) > 4 {
			t.Errorf("%s: %d statements: %q", name, len(ran), ran)
		}
	}
}

func TestItems_SelectedOnesAreChangedTogether(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	one, two := n.CreateItem(`{"name":"one","tags":["a"]}`), n.CreateItem(`{"name":"two"}`)
	profile := n.Call(http.MethodPost, "/api/v1/workflow-profiles",
		`{"name":"Archive","actions":[{"key":"archive","kind":"archive","name":"Archive"}]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	back := "/items?sort=name"
	do := func(what string, more ...string) nodetest.Response {
		t.Helper()
		form := url.Values{"do": {what}, "id": {one, two}, "back": {back}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		got := post(t, n.Client, "/items", form).WantStatus(t, http.StatusSeeOther)
		if to := got.Header.Get("Location"); to != back && what != "delete" && what != "run" {
			t.Errorf("%s leads to %s", what, to)
		}
		return got
	}
	has := func(id string, want ...string) {
		t.Helper()
		wantText(t, string(n.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK).Body), want...)
	}
	do("tag", "tag", " new ")
	has(one, `"tags":["a","new"]`)
	has(two, `"tags":["new"]`)
	do("untag", "tag", "a")
	has(one, `"tags":["new"]`)
	do("publish")
	has(one, `"privacy":"public"`)
	has(two, `"privacy":"public"`)
	do("unpublish")
	has(two, `"privacy":"private"`)
	asked := do("run").Header.Get("Location")
	wantText(t, page(t, n.Client, asked, http.StatusOK), "Run a workflow on 2 items", ">Archive<")
	do("run", "profile", profile, "confirmed", "1")
	nodetest.Eventually(t, "both are archived", func() bool {
		body := string(n.Call(http.MethodGet, "/api/v1/items?tags=archived", "").WantStatus(t, http.StatusOK).Body)
		return strings.Contains(body, one) && strings.Contains(body, two)
	})

	asks := do("delete").Header.Get("Location")
	wantText(t, page(t, n.Client, asks, http.StatusOK), "Delete 2 items?", "one", "two", `value="/items?sort=name"`)
	has(one, "one") // asking deletes nothing
	notice := do("delete", "confirmed", "1")
	n.Call(http.MethodGet, "/api/v1/items/"+one, "").WantStatus(t, http.StatusNotFound)
	shown := page(t, n.Client, back, http.StatusOK, "Cookie", strings.SplitN(notice.Header.Get("Set-Cookie"), ";", 2)[0])
	wantText(t, shown, "Deleted 2 items.")

	n.CreateItem(`{"name":"three"}`)
	gone := post(t, n.Client, "/items", url.Values{"do": {"publish"}, "id": {one}, "back": {"https://evil.example/"}})
	if to := gone.Header.Get("Location"); to != "/items" {
		t.Errorf("the form leads to %s", to)
	}
	shown = page(t, n.Client, "/items", http.StatusOK, "Accept-Language", "de", "Cookie",
		strings.SplitN(gone.Header.Get("Set-Cookie"), ";", 2)[0])
	wantText(t, shown, "1 von 1 Einträgen wurde nicht geändert", "There is no item with this id")
}

func TestItems_ThoseChangedSinceTheLastVisitAreMarked(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	old := n.CreateItem(`{"name":"old"}`)
	n.CreateItem(`{"name":"other"}`)
	first := n.Page(n.Browser(), "/items").WantStatus(t, http.StatusOK)
	wantNoText(t, string(first.Body), `class="mark"`)
	cookie := strings.SplitN(first.Header.Get("Set-Cookie"), ";", 2)[0]
	name, value, _ := strings.Cut(cookie, "=")
	parts := strings.Split(value, ".")
	n.PatchItem(old, `{"description":"changed"}`)
	n.CreateItem(`{"name":"latest"}`)
	// The visit of an hour ago saw everything up to the first page.
	var last int64
	_, _ = fmt.Sscan(parts[2], &last)
	seen := fmt.Sprintf("%s=%s.%d.%d", name, parts[0], last, last)
	body := page(t, n.Client, "/items", http.StatusOK, "Cookie", seen)
	marks := regexp.MustCompile(`<a href="[^"]*">([^<]*)</a> <span class="mark">([^<]*)</span>`).FindAllStringSubmatch(body, -1)
	if len(marks) != 2 || marks[0][1]+marks[0][2] != "latestnew" || marks[1][1]+marks[1][2] != "oldchanged" {
		t.Errorf("the marks are %q", marks)
	}
	wantText(t, body, "2 items have changed since your last visit.")
	wantNoText(t, page(t, n.Client, "/items", http.StatusOK, "Cookie", name+"=another1.1.1"), `class="mark"`)
	after := post(t, n.Client, "/items", url.Values{"do": {"seen"}}).WantStatus(t, http.StatusSeeOther)
	body = page(t, n.Client, "/items", http.StatusOK, "Cookie", strings.SplitN(after.Header.Get("Set-Cookie"), ";", 2)[0])
	wantNoText(t, body, `class="mark"`)
}

// Undo restores what the form has changed, and nothing else.
func TestItems_ABulkChangeCanBeUndone(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	tagged := n.CreateItem(`{"name":"a","tags":["silent"]}`)
	plain := n.CreateItem(`{"name":"b"}`)
	unlisted := n.CreateItem(`{"name":"c","privacy":"unlisted"}`)
	ids := []string{tagged, plain, unlisted}
	value := regexp.MustCompile(`name="undo" value="([^"]*)"`)
	undo := func(form url.Values) {
		t.Helper()
		form["id"] = ids
		body := follow(t, n.Client, "/items", form)
		found := value.FindStringSubmatch(body)
		if found == nil {
			t.Fatalf("nothing can be undone: %.2000s", body)
		}
		wantText(t, follow(t, n.Client, "/items", url.Values{"do": {"undo"}, "undo": {html.UnescapeString(found[1])}}),
			"as they were")
	}
	undo(url.Values{"do": {"tag"}, "tag": {"silent"}})
	wantText(t, document(t, n, tagged), `"tags":["silent"]`)
	wantText(t, document(t, n, plain), `"tags":[]`)
	undo(url.Values{"do": {"publish"}})
	wantText(t, document(t, n, plain), `"privacy":"private"`)
	wantText(t, document(t, n, unlisted), `"privacy":"unlisted"`)
	if body := follow(t, n.Client, "/items", url.Values{"do": {"untag"}, "tag": {"none"}, "id": ids}); value.MatchString(body) {
		t.Error("nothing has changed, and it can be undone")
	}
	post(t, n.Client, "/items", url.Values{"do": {"undo"}, "undo": {`{"i":{"private":"AAAA"}}`}}).
		WantStatus(t, http.StatusBadRequest)
}

// A view is a name for a search, the criteria and an order.
func TestItems_AViewIsSavedSharedAndDeleted(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateItem(`{"name":"Metropolis","tags":["R&D #1"]}`)
	const query = "sort=name&tags=R%26D+%231"
	save := func(c *nodetest.Client, name, shared string) nodetest.Response {
		t.Helper()
		return post(t, c, "/items", url.Values{"do": {"saveview"}, "name": {name}, "query": {query + "&after=x"}, "shared": {shared}})
	}
	wantText(t, string(save(n.Client, " ", "").WantStatus(t, http.StatusBadRequest).Body), `id="view-name-fault"`,
		"Tag: R&amp;D #1")
	to := save(n.Client, "Research", "").WantStatus(t, http.StatusSeeOther).Header.Get("Location")
	if to != "/items?"+query {
		t.Errorf("the view is at %s", to)
	}
	wantText(t, page(t, n.Client, to, http.StatusOK), `aria-current="true">Research<`)
	editor, _ := n.CreateEditor("ada")
	wantNoText(t, page(t, editor, "/items", http.StatusOK), "Research")
	save(n.Client, "Research", "1").WantStatus(t, http.StatusSeeOther) // in place of the first
	body := page(t, editor, "/items", http.StatusOK)
	wantText(t, body, `href="/items?sort=name&amp;tags=R%26D&#43;%231"`, "Research", "shared")
	wantNoText(t, body, `value="deleteview"`)
	views := n.Call(http.MethodGet, "/api/v1/me/views", "").WantStatus(t, http.StatusOK).Results(t)
	if len(views) != 1 || views[0]["query"] != query {
		t.Fatalf("the API has the views %v", views)
	}
	id := views[0]["id"].(string)
	post(t, editor, "/items", url.Values{"do": {"deleteview"}, "view": {id}}).WantStatus(t, http.StatusSeeOther)
	editor.Call(http.MethodDelete, "/api/v1/me/views/"+id, "").WantStatus(t, http.StatusNotFound)
	wantText(t, string(n.GraphQL(`{ myViews { name query shared } }`, nil)), `"name":"Research"`, `"shared":true`)
	got := follow(t, n.Client, "/items", url.Values{"do": {"deleteview"}, "view": {id}})
	wantText(t, got, "Deleted the view Research.", "Metropolis", `value="sort=name&amp;tags=R%26D&#43;%231"`)
}
