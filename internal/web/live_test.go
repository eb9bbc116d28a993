package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

func TestLive_ShowsTheNewestChangesThatTheAddressSelects(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	wantText(t, page(t, n.Client, "/live", http.StatusOK), "No changes yet", `data-feed="/api/v1/changes?after=`)
	film := n.CreateItem(`{"name":"<b>Metropolis</b>","tags":["film"],"type":"video"}`)
	n.CreateItem(`{"name":"Fidelio","type":"audio"}`)
	n.PatchItem(film, `{"description":"silent"}`)
	var body string
	nodetest.Eventually(t, "the node has read the last change", func() bool {
		body = page(t, n.Client, "/live", http.StatusOK)
		return strings.Contains(body, `badge updated"`)
	})
	wantText(t, body, "&lt;b&gt;Metropolis&lt;/b&gt;", "Fidelio", "Description", `href="/items/`+film+`"`,
		`href="/api/v1/changes"`, `<rect class="count"`)
	if first, second := strings.Index(body, `badge updated"`), strings.Index(body, `badge created"`); first > second {
		t.Error("the newest change is not the first")
	}
	body = page(t, n.Client, "/live?type=audio&kinds=CREATED", http.StatusOK)
	wantText(t, body, "Fidelio", `href="/live?kinds=CREATED"`, `href="/live?type=audio"`, `kinds=CREATED&amp;type=audio`)
	wantNoText(t, body, "Metropolis")
	wantText(t, page(t, n.Client, "/live?tags=none&sort=name&kinds=NONE", http.StatusOK),
		"None of the newest 256 changes match")
	wantText(t, page(t, n.Client, "/live", http.StatusOK, "Accept-Language", "de"),
		"Angelegt", "Änderungen, neueste zuerst")
	blind := n.CreateUser("blind@example.com", n.CreateRole("Blind", account.APIAccess))
	wantText(t, page(t, blind, "/live", http.StatusForbidden), "items.view")
}

func TestLive_AFullPageTakesFewStatementsAndIsBounded(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	for i := range 130 {
		n.CreateItem(fmt.Sprintf(`{"name":"Film %d"}`, i))
	}
	var body string
	nodetest.Eventually(t, "the node has read the last change", func() bool {
		return strings.Contains(page(t, n.Client, "/live", http.StatusOK), ">Film 129<")
	})
	ran := trace.During(func() { body = page(t, n.Client, "/live?tags=&search=film", http.StatusOK) })
	if len(ran) > 4 {
		t.Errorf("%d statements: %q", len(ran), ran)
	}
	if rows := strings.Count(body, `<td class="kind">`) - 1; rows != 100 {
		t.Errorf("the page has %d rows, want 100", rows)
	}
}
