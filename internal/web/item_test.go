package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// createFields makes a metadata field of each kind.
func createFields(n *nodetest.Node) {
	n.T.Helper()
	for _, field := range []string{
		`{"key":"director","label":"Director","kind":"text"}`,
		`{"key":"year","label":"Year","kind":"number"}`,
		`{"key":"shown","label":"First shown","kind":"date"}`,
		`{"key":"color","label":"In colour","kind":"bool"}`,
		`{"key":"genre","label":"Genre","kind":"choice","choices":["drama","comedy"]}`,
	} {
		n.Call(http.MethodPost, "/api/v1/metadata-fields", field).WantStatus(n.T, http.StatusCreated)
	}
}

// document returns an item's JSON.
func document(t testing.TB, n *nodetest.Node, id string) string {
	t.Helper()
	return string(n.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, http.StatusOK).Body)
}

func TestItem_TheFormHasTheAccountsFieldsAndSavesWhatDiffers(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	createFields(n)
	id := n.CreateItem(`{"name":"Metropolis","tags":["silent"],"metadata":{"year":1926.5,"genre":"drama"}}`)
	path := "/items/" + id
	wantText(t, page(t, n.Client, path, http.StatusOK), `name="metadata.director"`, "Director", `value="1926.5"`,
		`<option value="drama" selected>`, `type="date"`, "In colour", `name="revision" value="1"`)
	form := url.Values{"do": {"save"}, "revision": {"1"}, "name": {"Metropolis!"}, "tags": {"silent\r\n  scifi \r\n\r\n"},
		"metadata.year": {"1926.5"}, "metadata.director": {"Lang"}, "metadata.shown": {"1927-01-10"},
		"metadata.color": {"false"}, "metadata.genre": {""}, "duration": {"9180.5"}, "language": {"de"}}
	post(t, n.Client, path, form).WantStatus(t, http.StatusSeeOther)
	wantText(t, document(t, n, id), `"name":"Metropolis!"`, `"tags":["scifi","silent"]`, `"duration":9180.5`,
		`"language":"de"`, `"metadata":{"color":false,"director":"Lang","shown":"1927-01-10","year":1926.5}`,
		`"revision":2`)
	form.Set("revision", "2")
	post(t, n.Client, path, form).WantStatus(t, http.StatusSeeOther)
	wantText(t, document(t, n, id), `"revision":2`) // nothing was different
}

func TestItem_FaultsAreBesideTheirFieldsAndWhatWasTypedStays(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	createFields(n)
	id := n.CreateItem(`{"name":"Metropolis"}`)
	got := post(t, n.Client, "/items/"+id, url.Values{"do": {"save"}, "revision": {"1"}, "name": {""},
		"metadata.year": {"many"}, "language": {"not a tag"}, "description": {"stays <b>"}})
	body := string(got.WantStatus(t, http.StatusBadRequest).Body)
	wantText(t, body, `id="name-fault">`, `id="metadata.year-fault">This must be a number.`, `id="language-fault">`,
		`aria-describedby="metadata.year-fault"`, "stays &lt;b&gt;", "This was not saved", `value="many"`)
	wantText(t, document(t, n, id), `"revision":1`)
}

func TestItem_ThoseWhoMayNotEditReadOnly(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"Metropolis"}`)
	n.CreateHook(`{"url":"` + nodetest.RefusingURL(t) + `"}`)
	reader := n.CreateUser("reader@example.com", n.CreateRole("Reader", account.APIAccess, account.ItemsView))
	body := page(t, reader, "/items/"+id, http.StatusOK)
	wantText(t, body, `value="Metropolis" maxlength="500" disabled`, "View JSON")
	wantNoText(t, body, ">Save<", "Trigger POST Item Hook", `id="deliveries-title"`, ">Delete<", "Put back")
	post(t, reader, "/items/"+id, url.Values{"do": {"save"}, "revision": {"1"}, "name": {"x"}}).
		WantStatus(t, http.StatusForbidden)
	wantNoText(t, page(t, reader, "/items", http.StatusOK), `type="checkbox" name="id"`, `value="delete"`)
	page(t, n.Client, "/items/"+uuid.NewString(), http.StatusNotFound)
	page(t, n.Client, "/items/nonsense", http.StatusNotFound)
	page(t, n.CreateStranger(), "/items/"+id, http.StatusNotFound)
}

func TestItem_AStaleSaveShowsBothVersionsFieldByField(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"Metropolis","description":"a","tags":["silent"],"producer":"Ufa"}`)
	path := "/items/" + id
	editor, _ := n.CreateEditor("ada")
	editor.PatchItem(id, `{"name":"Theirs","producer":"UFA"}`)
	awaitHistory(t, n, id, ">Changed</strong>")
	form := url.Values{"do": {"save"}, "revision": {"1"}, "name": {"Mine"}, "description": {"mine"}, "producer": {"Ufa"},
		"tags": {"silent"}}
	body := string(post(t, n.Client, path, form).WantStatus(t, http.StatusConflict).Body)
	wantText(t, body, `name="take.name" value="mine" checked`, "<q>Mine</q>", "<q>Theirs</q>", "both have changed it",
		`name="take.description" value="mine" checked`, `name="take.producer" value="theirs" checked`,
		`name="revision" value="2"`, `value="Mine"`, "has saved this item meanwhile")
	wantNoText(t, body, `name="take.tags"`)
	wantText(t, document(t, n, id), `"name":"Theirs"`, `"revision":2`)

	form.Set("revision", "2")
	form.Set("take.name", "theirs")
	form.Set("take.description", "mine")
	form.Set("take.producer", "theirs")
	post(t, n.Client, path, form).WantStatus(t, http.StatusSeeOther)
	wantText(t, document(t, n, id), `"name":"Theirs"`, `"description":"mine"`, `"producer":"UFA"`, `"revision":3`)
}

func TestItem_HistoryShowsWhatChangedAndPutsItBack(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	createFields(n)
	id := n.CreateItem(`{"name":"Metropolis","tags":["a","b"],"metadata":{"director":"Lang"}}`)
	n.PatchItem(id, `{"name":"Changed","tags":["b","c"],"metadata":{"director":null,"year":1927}}`)
	body := awaitHistory(t, n, id, ">Changed</strong>")
	wantText(t, body, "<del>Metropolis</del> <ins>Changed</ins>", "<dt>Tags</dt><dd><del>a</del> <ins>c</ins>",
		"<dt>director</dt><dd><del>Lang</del> ", "<dt>year</dt><dd><ins>1927</ins>", "Put back revision 1")
	wantNoText(t, body, "Put back revision 2")
	post(t, n.Client, "/items/"+id, url.Values{"do": {"restore"}, "revision": {"1"}, "history": {""}}).
		WantStatus(t, http.StatusSeeOther)
	wantText(t, document(t, n, id), `"name":"Metropolis"`, `"tags":["a","b"]`, `"metadata":{"director":"Lang"}`,
		`"revision":3`)
	awaitHistory(t, n, id+"?since=2", "has just changed:")
}

// awaitHistory waits until the history of an item has a text: a change appears when it has its position in the log.
func awaitHistory(t *testing.T, n *nodetest.Node, id, text string) (body string) {
	t.Helper()
	nodetest.Eventually(t, "the history has "+text, func() bool {
		body = page(t, n.Client, "/items/"+id, http.StatusOK)
		return strings.Contains(body, text)
	})
	return body
}

func TestItem_TriggerAppearsOnlyWithAHookAndSaysWhatCameOfIt(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"Metropolis"}`)
	path := "/items/" + id
	wantNoText(t, page(t, n.Client, path, http.StatusOK), "Trigger POST Item Hook")
	receiver, _ := nodetest.StartReceiver(t)
	n.CreateHook(`{"url":"` + receiver + `","events":["item.deleted"]}`)
	wantNoText(t, page(t, n.Client, path, http.StatusOK), "Trigger POST Item Hook")
	n.CreateHook(`{"url":"` + receiver + `","events":["item.updated"],"filter":{"tags":["other"]}}`)
	wantNoText(t, page(t, n.Client, path, http.StatusOK), "Trigger POST Item Hook")
	n.CreateHook(`{"url":"` + receiver + `","events":["item.updated"]}`)
	wantText(t, page(t, n.Client, path, http.StatusOK), "Trigger POST Item Hook", "Sends the item to 1 hook now.")
	got := post(t, n.Client, path, url.Values{"do": {"trigger"}}).WantStatus(t, http.StatusSeeOther)
	cookie := strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0]
	wantText(t, page(t, n.Client, path, http.StatusOK, "Cookie", cookie), "Sent to 1 hook: "+receiver)
	nodetest.Eventually(t, "the page says that it was delivered", func() bool {
		body := page(t, n.Client, path, http.StatusOK)
		return strings.Contains(body, `<span class="badge succeeded">Delivered</span>`) && strings.Contains(body, "by hand")
	})
}

func TestItem_TheWorkflowHasItsExplanationAndItsButtons(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile := n.Call(http.MethodPost, "/api/v1/workflow-profiles", `{"name":"News","actions":[
		{"key":"approve","kind":"approve","name":"Approval"},{"key":"publish","kind":"publish","name":"Publishing"}]}`).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	id := n.CreateItem(`{"name":"Metropolis"}`)
	path := "/items/" + id
	wantText(t, page(t, n.Client, path, http.StatusOK), "Start workflow", ">News<", "has had no workflow yet")
	post(t, n.Client, path, url.Values{"do": {"start"}, "profile": {profile}}).WantStatus(t, http.StatusSeeOther)
	nodetest.Eventually(t, "the page has the buttons", func() bool {
		body := page(t, n.Client, path, http.StatusOK)
		return strings.Contains(body, `value="approve" class="main"`) && strings.Contains(body, "Waits for a person")
	})
	got := post(t, n.Client, path, url.Values{"do": {"complete"}, "action": {"approve"}}).WantStatus(t, http.StatusSeeOther)
	cookie := strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0]
	wantText(t, page(t, n.Client, path, http.StatusOK, "Cookie", cookie), "it is an approval: approve or reject it")
	post(t, n.Client, path, url.Values{"do": {"approve"}, "action": {"approve"}, "comment": {"fine"}}).
		WantStatus(t, http.StatusSeeOther)
	nodetest.Eventually(t, "the item is published", func() bool {
		return strings.Contains(document(t, n, id), `"privacy":"public"`) &&
			strings.Contains(page(t, n.Client, path, http.StatusOK), `class="badge completed">Completed`)
	})
	body := page(t, n.Client, path, http.StatusOK)
	wantText(t, body, "<q>fine</q>", "Start again", "Visibility")
	wantNoText(t, body, "Cancel workflow")
}

func TestItem_FilesAndThePosterAreShown(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	second := uuid.NewString()
	id := n.CreateItem(`{"name":"Metropolis","embed_code":"<iframe src='https://player.example/1'></iframe>",
		"assets":[{"kind":"source","url":"https://files.example/a.mp4","content_type":"video/mp4","size":1500000,"width":1920,"height":1080}],
		"snapshots":[{"url":"https://files.example/1.jpg"},{"id":"` + second + `","url":"https://files.example/2.jpg"}]}`)
	wantText(t, page(t, n.Client, "/items", http.StatusOK), `src="https://files.example/1.jpg"`)
	body := page(t, n.Client, "/items/"+id, http.StatusOK)
	wantText(t, body, "Original", "1.5 MB", "1920 × 1080", "Use as poster", "Copy embed code",
		"&lt;iframe src=&#39;https://player.example/1&#39;&gt;&lt;/iframe&gt;", "/graphql#query=", "curl -u")
	post(t, n.Client, "/items/"+id, url.Values{"do": {"poster"}, "snapshot": {second}}).WantStatus(t, http.StatusSeeOther)
	wantText(t, document(t, n, id), `"snapshot_id":"`+second+`"`)
}

func TestItem_WhatCanBePlayedHasThePlayerAndALinkToItsPage(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPatch, "/api/v1/account", `{"frame_ancestors":[]}`).WantStatus(t, http.StatusOK)
	const playable = `{"kind":"source","url":"https://files.example/a.mp4","content_type":"video/mp4"}`
	id := n.CreateItem(`{"name":"Metropolis","privacy":"private","assets":[` + playable + `],
		"snapshots":[{"url":"https://files.example/1.jpg"}]}`)
	got := n.Page(n.Browser(), "/items/"+id).WantStatus(t, http.StatusOK)
	wantText(t, string(got.Body), `src="/embed/`+id+`"`, `href="/watch/`+id+`"`, `title="Player"`)
	if sites := policyOf(got, "frame-src"); sites != "'self'" {
		t.Errorf("frame-src is %q", sites)
	}
	frame := n.Page(n.Browser(), "/embed/"+id).WantStatus(t, http.StatusOK)
	if sites := policyOf(frame, "frame-ancestors"); sites != "'self'" {
		t.Errorf("frame-ancestors of the frame is %q", sites)
	}
	n.PatchItem(id, `{"type":"image","assets":[{"kind":"source","url":"https://files.example/1.jpg","content_type":"image/jpeg"}]}`)
	body := page(t, n.Client, "/items/"+id, http.StatusOK)
	wantText(t, body, `alt="The picture of this item"`, `href="/watch/`+id+`"`)
	wantNoText(t, body, "<iframe ")
	wantNoText(t, page(t, n.Client, "/items/"+n.CreateItem(`{"name":"Empty"}`), http.StatusOK), "<iframe ", "/watch/")
}

func TestItem_ANewOneIsMadeByAForm(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","label":"Year","kind":"number","required":true}`).
		WantStatus(t, http.StatusCreated)
	wantText(t, page(t, n.Client, "/items/new", http.StatusOK), `id="metadata.year"`, ">Create<")
	form := url.Values{"name": {"Metropolis"}, "tags": {"silent"}, "type": {"audio"}, "privacy": {"private"}}
	got := post(t, n.Client, "/items/new", form).WantStatus(t, http.StatusUnprocessableEntity)
	wantText(t, string(got.Body), `id="metadata.year-fault">This is required.`, `value="Metropolis"`)
	form.Set("metadata.year", "1927")
	to := post(t, n.Client, "/items/new", form).WantStatus(t, http.StatusSeeOther).Header.Get("Location")
	wantText(t, document(t, n, strings.TrimPrefix(to, "/items/")), `"name":"Metropolis"`, `"tags":["silent"]`,
		`"type":"audio"`, `"metadata":{"year":1927}`)
	reader := n.CreateUser("reader@example.com", n.CreateRole("Reader", account.APIAccess, account.ItemsView))
	page(t, reader, "/items/new", http.StatusForbidden)
}
