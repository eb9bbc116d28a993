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

func TestAPI_HasTheWaysInAndExamplesWithThisServersURL(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	body := page(t, n.Client, "/api", http.StatusOK)
	wantText(t, body, `href="/api/v1/"`, `href="/graphql"`, `href="/api/v1/openapi.json"`,
		"curl -u "+nodetest.AdminEmail+" "+n.URL+"/api/v1/items", "requests.get", "There are no hooks yet")
	reader := n.CreateUser("reader@example.com", n.CreateRole("Reader", account.APIAccess, account.ItemsView))
	wantNoText(t, page(t, reader, "/api", http.StatusOK), `id="hooks"`)
	post(t, reader, "/api", url.Values{"do": {"add"}, "url": {"https://example.com/"}}).
		WantStatus(t, http.StatusForbidden)
}

// From no hook to a received one, and what an administrator does with it later.
func TestAPI_AHookIsAddedTestedPausedAndDeleted(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	receiver, received := nodetest.StartReceiver(t)
	wrong := post(t, n.Client, "/api", url.Values{"do": {"add"}, "url": {"ftp://example.com/"}, "description": {"mine"}})
	wantText(t, string(wrong.WantStatus(t, http.StatusBadRequest).Body), `id="url-fault"`,
		`value="ftp://example.com/"`, `value="mine"`)
	added := post(t, n.Client, "/api", url.Values{"do": {"add"}, "url": {receiver}, "description": {"mine"},
		"events": {"item.created", "item.updated"}}).WantStatus(t, http.StatusCreated)
	wantText(t, string(added.Body), "Copy the secret now", "whsec_", receiver, "created, changed")
	body := page(t, n.Client, "/api", http.StatusOK)
	wantNoText(t, body, "whsec_")
	id := regexp.MustCompile(`name="hook" value="([^"]*)"`).FindStringSubmatch(body)[1]
	do := func(what string) string {
		t.Helper()
		got := post(t, n.Client, "/api", url.Values{"do": {what}, "hook": {id}}).WantStatus(t, http.StatusSeeOther)
		return page(t, n.Client, "/api", http.StatusOK, "Cookie", strings.SplitN(got.Header.Get("Set-Cookie"), ";", 2)[0])
	}
	wantText(t, do("test"), "The test was delivered: status 200.")
	nodetest.Next(t, received)
	wantText(t, do("pause"), "The hook is paused.", "Paused", ">Resume<")
	wantText(t, do("resume"), "The hook is active again.", ">Pause<")
	wantText(t, do("delete"), "The hook is deleted.", "There are no hooks yet")
}

// An administrator finds out why a hook failed.
func TestAPI_AFailingHookSaysSinceWhenAndWhy(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateHook(`{"url":"` + nodetest.RefusingURL(t) + `","events":["item.created"]}`)
	n.CreateItem(`{"name":"Metropolis"}`)
	nodetest.Eventually(t, "the page says that the hook fails", func() bool {
		body := page(t, n.Client, "/api", http.StatusOK)
		return strings.Contains(body, "Every attempt has failed since") && strings.Contains(body, "1 delivery waits")
	})
}
