package web_test

import (
	"fmt"
	"net/http"
	"testing"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

// Two people have the inbox open. One approves; the other types a comment, and is told. Then one retries what has failed.
func TestBrowser_TwoPeopleWorkInTheInbox(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	items := approvals(t, n, 3)
	one, two := open(t, n), open(t, n)
	for _, p := range []*browsertest.Page{one, two} {
		p.Go("/workflows")
		p.Wait("the page follows", `'follows' in document.documentElement.dataset`)
	}
	one.Check("the inbox")
	one.Shoot("inbox")
	two.Type("#runs > li:first-child textarea", "I am typing") // Film 2, the newest
	one.Type("#runs > li:first-child textarea", "Fine")
	one.Follow("#runs > li:first-child button[value=approve]", http.StatusOK)
	one.WaitText("#notice", "Approved.")
	two.WaitText("#runs > li:first-child .moved", "Somebody else")
	if !browsertest.Eval[bool](two, `document.querySelector('#runs textarea').value === 'I am typing'`) {
		t.Error("what the other has typed is lost")
	}
	two.Check("the inbox after somebody else's approval")
	n.Call(http.MethodPost, "/api/v1/items/"+items[0]+"/workflow/actions/ok/reject", `{"comment":"The year is wrong"}`).
		WantStatus(t, http.StatusOK)
	one.Wait("the rejected one leaves", `document.querySelectorAll('#runs > li').length === 1`)
	one.Go("/workflows?show=failed")
	one.WaitText("#runs", "The year is wrong")
	for _, width := range []int64{320, 1280} {
		one.Width(width).Dark(width == 320)
		one.Go("/workflows?show=failed")
		one.Check("failed runs, narrow and dark")
		one.Shoot(fmt.Sprintf("failed-%d", width))
	}
	one.Dark(false).Follow("#runs button[value=retry]", http.StatusOK)
	one.Go("/workflows")
	one.WaitText("#runs", "Film 0")
	plain := open(t, n).WithoutScript()
	plain.Go("/workflows")
	plain.Follow("#runs > li:first-child button[value=approve]", http.StatusOK)
	wantText(t, plain.Text("#notice"), "Approved.")
}
