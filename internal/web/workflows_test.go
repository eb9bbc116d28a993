package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

const approval = `{"name":"News","actions":[
	{"key":"ok","kind":"approve","name":"Check facts"},
	{"key":"publish","kind":"publish","name":"Publish"}]}`

// approvals makes a profile with an approval, and items that wait for it.
func approvals(t testing.TB, n *nodetest.Node, count int) (items []string) {
	t.Helper()
	profile := n.Call(http.MethodPost, "/api/v1/workflow-profiles", approval).
		WantStatus(t, http.StatusCreated).Field(t, "id")
	for i := range count {
		items = append(items, n.CreateItem(fmt.Sprintf(`{"name":"Film %d","workflow_profile_id":%q}`, i, profile)))
	}
	nodetest.Eventually(t, "all wait", func() bool {
		return strings.Count(page(t, n.Client, "/workflows?show=running", http.StatusOK), `value="approve"`) == min(25, count)
	})
	return items
}

func TestWorkflows_PeopleActInTheInbox(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	wantText(t, page(t, n.Client, "/workflows", http.StatusOK), "Nothing waits for you", `href="/api/v1/workflow-profiles"`)
	wantText(t, page(t, n.Client, "/workflows?show=failed", http.StatusOK, "Accept-Language", "de"),
		"Kein Workflow ist fehlgeschlagen")
	items := approvals(t, n, 2)
	wantText(t, page(t, n.Client, "/workflows", http.StatusOK), "Film 1", "Check facts, step 1 of 2",
		`href="/api/v1/workflows?for_me=true"`, "Waits for a person")
	form := url.Values{"item": {items[0]}, "action": {"ok"}, "comment": {"Fine <b>"},
		"back": {"/workflows"}, "do": {"approve"}}
	if got := post(t, n.Client, "/workflows", form); got.Status != http.StatusSeeOther {
		t.Fatalf("the approval has status %d: %.500s", got.Status, got.Body)
	}
	nodetest.Eventually(t, "the run has completed", func() bool {
		return strings.Contains(page(t, n.Client, "/workflows?show=ended", http.StatusOK), "Fine &lt;b&gt;")
	})
	form.Set("back", "https://evil.example/workflows")
	again := post(t, n.Client, "/workflows", form) // somebody else was faster
	if to := again.Header.Get("Location"); again.Status != http.StatusSeeOther || to != "/workflows" {
		t.Errorf("a second approval has status %d and leads to %q", again.Status, to)
	}
	form = url.Values{"item": {items[1]}, "action": {"ok"}, "do": {"reject"}, "comment": {"wrong year"}}
	post(t, n.Client, "/workflows", form)
	nodetest.Eventually(t, "the run has failed", func() bool {
		return strings.Contains(page(t, n.Client, "/workflows?show=failed", http.StatusOK), "Try again")
	})
	post(t, n.Client, "/workflows", url.Values{"item": {items[1]}, "do": {"retry"}, "from": {"ok"}})
	nodetest.Eventually(t, "the run waits again", func() bool {
		return strings.Contains(page(t, n.Client, "/workflows", http.StatusOK), "Film 1")
	})
	post(t, n.Client, "/workflows", url.Values{"item": {items[1]}, "do": {"cancel"}})
	wantText(t, page(t, n.Client, "/workflows?show=ended", http.StatusOK), "Cancelled")
	reader := n.CreateUser("reader@example.com", n.CreateRole("Reader", account.APIAccess, account.ItemsView))
	body := page(t, reader, "/workflows?show=ended", http.StatusOK)
	wantText(t, body, "Film 1")
	wantNoText(t, body, "Try again", "workflow-profiles")
	wantText(t, page(t, reader, "/workflows", http.StatusOK), "workflows.act")
}

func TestWorkflows_APageTakesFewStatements(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	approvals(t, n, 27)
	var body string
	ran := trace.During(func() { body = page(t, n.Client, "/workflows", http.StatusOK) })
	if len(ran) > 4 {
		t.Errorf("%d statements: %q", len(ran), ran)
	}
	wantText(t, body, `rel="next"`)
}
