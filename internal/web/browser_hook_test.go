package web_test

import (
	"net/http"
	"testing"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

// An administrator adds a hook, finds out why it fails, mends it, and sends again what has failed.
func TestBrowser_AnAdministratorFindsOutWhyAHookFails(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	receiver, _ := nodetest.StartReceiver(t)
	p := open(t, n)
	p.Go("/api")
	p.Fill("#url", nodetest.RefusingURL(t))
	p.Follow("#new-hook button[value=add]", http.StatusCreated)
	wantText(t, p.Text("section.secret"), "whsec_")
	if !browsertest.Eval[bool](p, `document.querySelector('section.secret').getBoundingClientRect().top < 200`) {
		t.Error("the secret is not on top of the page")
	}
	p.Check("the page with a secret")
	p.Shoot("api-secret")
	n.PatchItem(n.CreateItem(`{"name":"Metropolis"}`), `{"tags":["silent"]}`)
	nodetest.Eventually(t, "the first attempt has failed", func() bool {
		p.Go("/api")
		return browsertest.Eval[bool](p, `document.querySelector('.hooks .bad') !== null`)
	})
	p.Shoot("api-failing")
	p.Follow(".hooks .line a", http.StatusOK)
	p.Check("the page of a failing hook")
	p.Shoot("hook-failing")
	p.Follow("#deliveries td a", http.StatusOK)
	wantText(t, p.Text("#exchange"), "itemcast-event: item.updated", "refused")
	p.Check("a delivery that waits")
	p.Shoot("delivery-failing")
	p.Follow(".crumbs a", http.StatusOK)
	p.Fill("#url", receiver)
	p.Follow("#settings button[value=save]", http.StatusOK)
	p.Follow("#deliveries td a", http.StatusOK)
	p.Follow("button[value=redeliver]", http.StatusOK)
	p.WaitText("#state", "Delivered")
	p.WaitText("#exchange", "200")
	p.Check("a delivery that has arrived")
	p.Shoot("delivery-done")
	p.Follow(".crumbs a", http.StatusOK)
	p.Follow("button[value=replay]", http.StatusOK)
	p.WaitText("#replay", "Completed")
	p.Check("the page of a hook")
	p.Shoot("hook")
	for _, width := range []int64{320, 1280} {
		p.Width(width).Dark(width == 320)
		p.Go(p.Path())
		p.Check("the hook, narrow and dark")
		p.Shoot("hook-dark")
	}
}
