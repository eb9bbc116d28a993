package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// follow posts a form and returns the page that it leads to.
func follow(t *testing.T, c *nodetest.Client, path string, form url.Values) string {
	t.Helper()
	got := post(t, c, path, form).WantStatus(t, http.StatusSeeOther)
	to, _, _ := strings.Cut(got.Header.Get("Location"), "#")
	return page(t, c, to, http.StatusOK, "Cookie", strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0])
}

// An administrator narrows a hook, sees what was sent and answered, sends it again, and replays.
func TestHook_ItsPageHasHealthSettingsDeliveriesAndReplay(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	receiver, _ := nodetest.StartReceiver(t)
	id := nodetest.PathID(n.CreateHook(`{"url":"` + receiver + `","events":["item.created"],"headers":{"X-Key":"s3cret"}}`))
	path := "/hooks/" + id
	wantText(t, page(t, n.Client, path, http.StatusOK), "Nothing was sent in the last day", "There are none.")
	item := n.CreateItem(`{"name":"Metropolis"}`)
	nodetest.Eventually(t, "the page shows the delivery", func() bool {
		body := page(t, n.Client, path, http.StatusOK)
		return strings.Contains(body, `<rect class="good"`) && strings.Contains(body, "1 request in the last day: 100 %")
	})
	wantText(t, page(t, n.Client, "/api", http.StatusOK), `href="`+path+`"`, `<rect class="good"`, "100 % succeeded")
	body := page(t, n.Client, path+"?state=succeeded", http.StatusOK)
	wantText(t, body, `<a href="/items/`+item+`">Metropolis</a>`, `href="/api/v1/hooks/`+id+`"`, "X-Key: ***")
	delivery := regexp.MustCompile(`href="(/deliveries/[^"]*)"`).FindStringSubmatch(body)[1]
	wantText(t, page(t, n.Client, delivery, http.StatusOK), "POST "+receiver, "itemcast-event: item.created",
		"&#34;name&#34;: &#34;Metropolis&#34;", "200", "Attempts", `href="/api/v1`+delivery+`"`)
	wantText(t, follow(t, n.Client, delivery, url.Values{"do": {"redeliver"}}), "It is sent once more.")

	settings := url.Values{"do": {"save"}, "revision": {"1"}, "url": {receiver}, "events": {"item.updated"},
		"filter.search": {""}, "filter.tags": {"silent\nscifi"}, "filter.type": {"video"}, "filter.metadata": {"none=1"},
		"headers": {"X-Key: ***"}, "body": {"thin"}, "rate_limit": {"many"}}
	wrong := post(t, n.Client, path, settings).WantStatus(t, http.StatusBadRequest)
	wantText(t, string(wrong.Body), "This was not saved", "silent\nscifi")
	settings.Set("rate_limit", "5")
	wrong = post(t, n.Client, path, settings).WantStatus(t, http.StatusBadRequest)
	wantText(t, string(wrong.Body), `id="filter.metadata-fault"`)
	settings.Set("filter.metadata", "")
	wantText(t, follow(t, n.Client, path, settings), "Saved.", "Tag: silent, scifi · Type: Video")
	hook := string(n.Call(http.MethodGet, "/api/v1/hooks/"+id, "").Body)
	wantText(t, hook, `"tags":["silent","scifi"]`, `"rate_limit":5`, `"body":"thin"`, `"X-Key":"***"`)
	stale := post(t, n.Client, path, settings).WantStatus(t, http.StatusPreconditionFailed)
	wantText(t, string(stale.Body), "Somebody else has changed the hook meanwhile")

	rotated := post(t, n.Client, path, url.Values{"do": {"rotate"}}).WantStatus(t, http.StatusOK)
	if at, form := strings.Index(string(rotated.Body), "whsec_"), strings.Index(string(rotated.Body), "<h1"); at < 0 || at > form {
		t.Error("the secret is not on top of the page")
	}
	wantText(t, follow(t, n.Client, path, url.Values{"do": {"replay"}, "since": {"24"}, "rate": {"50"}}),
		"The replay has started.")
	nodetest.Eventually(t, "the replay ends", func() bool {
		return strings.Contains(page(t, n.Client, path, http.StatusOK), `succeeded">Completed<`)
	})
	wantText(t, follow(t, n.Client, path, url.Values{"do": {"replay"}, "since": {"24"}, "rate": {"2000"}}), "must be from 1 to 1000")
	wantText(t, follow(t, n.Client, path, url.Values{"do": {"delete"}}), "The hook is deleted.", "There are no hooks yet")
	page(t, n.Client, path, http.StatusNotFound)
	reader := n.CreateUser("reader@example.com", n.CreateRole("Reader", account.APIAccess, account.ItemsView))
	page(t, reader, path, http.StatusForbidden)
	page(t, reader, delivery, http.StatusForbidden)
}

// A hook receives items that its manager may not see.
func TestDelivery_ItsBodyIsForThoseWhoSeeTheItem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	receiver, received := nodetest.StartReceiver(t)
	n.CreateHook(`{"url":"` + receiver + `","events":["item.created"]}`)
	owner, role := n.CreateEditor("ada")
	owner.CreateItem(`{"name":"Hidden","workflow_profile_id":"` + n.CreateProfile("Secret", role) + `"}`)
	id := nodetest.Next(t, received).Header.Get("Webhook-Id")
	recorded := func() { // a delivery that is sent at once is recorded a moment later
		t.Helper()
		nodetest.Eventually(t, "the delivery is recorded", func() bool {
			return n.Call(http.MethodGet, "/api/v1/deliveries/"+id, "").Status == http.StatusOK
		})
	}
	recorded()
	body := page(t, n.Client, "/deliveries/"+id, http.StatusOK)
	wantText(t, body, "You may not see this item")
	wantNoText(t, body, "Hidden")
	bare := n.CreateUser("hooks@example.com", n.CreateRole("Hooks", account.APIAccess, account.HooksManage))
	shown := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Shown"}`).Field(t, "id")
	id = nodetest.Next(t, received).Header.Get("Webhook-Id")
	recorded()
	wantNoText(t, page(t, bare, "/deliveries/"+id, http.StatusOK), "Shown")
	n.Call(http.MethodDelete, "/api/v1/items/"+shown, "").WantStatus(t, http.StatusNoContent)
	wantText(t, page(t, n.Client, "/deliveries/"+id, http.StatusOK), "Shown")
}

func TestAPI_ATokenIsMadeShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	form := url.Values{"do": {"token"}, "name": {""}, "permissions": {"items.view", "hooks.manage"}, "expires_at": {"7"},
		"filter.search": {""}, "filter.tags": {"silent"}, "origins": {"https://app.example"}}
	wrong := post(t, n.Client, "/api", form).WantStatus(t, http.StatusBadRequest)
	wantText(t, string(wrong.Body), `id="token-name-fault"`, "silent</textarea>", `value="hooks.manage" checked`)
	form.Set("name", "Website")
	wrong = post(t, n.Client, "/api", form).WantStatus(t, http.StatusUnprocessableEntity)
	wantText(t, string(wrong.Body), `id="token-permissions-fault"`, "reaches beyond the items of a filter")
	form["permissions"] = []string{"items.view"}
	made := string(post(t, n.Client, "/api", form).WantStatus(t, http.StatusCreated).Body)
	secret := regexp.MustCompile(`ict_[A-Za-z0-9]+`).FindString(made)
	if secret == "" || strings.Index(made, secret) > strings.Index(made, "<h1") {
		t.Fatal("the token is not on top of the page")
	}
	n.WithAuthorization("Bearer "+secret).Call(http.MethodGet, "/api/v1/items", "", "Origin", "https://app.example").
		WantStatus(t, http.StatusOK)
	body := page(t, n.Client, "/api", http.StatusOK)
	wantNoText(t, body, secret)
	wantText(t, body, "Website", "Tag: silent", "https://app.example", "expires", "Yes, revoke it")
	id := regexp.MustCompile(`name="token" value="([^"]*)"`).FindStringSubmatch(body)[1]
	wantText(t, follow(t, n.Client, "/api", url.Values{"do": {"revoke"}, "token": {id}}), "The token is revoked.",
		"There are no tokens yet")
	nodetest.Eventually(t, "the token is refused", func() bool { // within a second, on all nodes
		return n.WithAuthorization("Bearer "+secret).Call(http.MethodGet, "/api/v1/items", "", "Origin",
			"https://app.example").Status == http.StatusUnauthorized
	})
}

func TestAPI_ASignedExampleOfATicketWorksWhenPasted(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	wantText(t, page(t, n.Client, "/api", http.StatusOK), "There is no workflow profile yet")
	profile := n.Call(http.MethodPost, "/api/v1/workflow-profiles",
		`{"name":"Inbox","uploads":{"enabled":true,"content_types":["text/*"]}}`).WantStatus(t, http.StatusCreated).Field(t, "id")
	form := url.Values{"do": {"ticket"}, "profile": {profile}}
	wantText(t, follow(t, n.Client, "/api", form), "Inbox has no upload secret yet")
	secret := string(post(t, n.Client, "/api", url.Values{"do": {"uploadsecret"}, "profile": {profile}}).
		WantStatus(t, http.StatusOK).Body)
	wantText(t, secret, "icu_")
	examples := string(post(t, n.Client, "/api", form).WantStatus(t, http.StatusOK).Body)
	wantText(t, examples, "file=@notes.txt", n.URL+"/api/v1/uploads", "requests.post", "openAsBlob")
	wantNoText(t, examples, "icu_Z", regexp.MustCompile(`icu_[A-Z2-7]{20,}`).FindString(secret))
	runPasted(t, examples)
	editor, _ := n.CreateEditor("ada")
	wantNoText(t, page(t, editor, "/api", http.StatusOK), `id="tickets"`)
	post(t, editor, "/api", form).WantStatus(t, http.StatusForbidden)
}
