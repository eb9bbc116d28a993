package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

// Two people look at the changes while many come: one follows, one pauses. The page stays responsive and small.
func TestBrowser_ChangesAppearAsTheyHappen(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	film := n.CreateItem(`{"name":"Metropolis","type":"video"}`)
	p, other := open(t, n), openIn(t, n, "de")
	other.Go("/live?type=audio")
	p.Go("/live")
	p.Check("the page of changes")
	for _, page := range []*browsertest.Page{p, other} {
		page.Wait("the page follows", `'follows' in document.documentElement.dataset`)
	}
	p.WaitText("#connection", "Connected")
	n.PatchItem(film, `{"name":"<b>Metropolis</b>"}`)
	p.WaitText("#live tbody tr", "<b>Metropolis</b>")
	p.WaitText("#live tbody tr", "Changed")

	browsertest.Eval[bool](p, `window.longTasks = [], new PerformanceObserver((list) => {
		for (const { duration } of list.getEntries()) longTasks.push(duration);
	}).observe({ type: 'longtask' }), true`)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 250 { // together, 10,000 a minute take six seconds
				n.CreateItem(fmt.Sprintf(`{"name":"Film %d","tags":["w%d"],"description":"a film that came with many"}`, i, w))
			}
		})
	}
	writers.Wait()
	p.Wait("all are counted", `document.querySelector('#total').textContent === '1,002'`)
	if rows := browsertest.Eval[int](p, `document.querySelectorAll('#live tbody tr').length`); rows != 100 {
		t.Errorf("the page has %d rows, want 100", rows)
	}
	if long := browsertest.Eval[[]float64](p, `longTasks.filter((duration) => duration > 100)`); len(long) > 0 {
		t.Errorf("the page was busy for %v ms at once", long)
	}
	p.Shoot("live")

	p.Click("#pause")
	n.CreateItem(`{"name":"While paused","type":"audio"}`)
	p.WaitText("#pause", "Resume (1)")
	other.WaitText("#live tbody", "While paused")
	other.WaitText("#live tbody", "Angelegt")
	if browsertest.Eval[bool](p, `document.querySelector('#live tbody').textContent.includes('While paused')`) {
		t.Error("the page is not paused")
	}
	p.Click("#pause")
	p.WaitText("#live tbody tr", "While paused")
	for _, width := range []int64{320, 1280} {
		p.Width(width).Dark(width == 320)
		p.Go("/live?type=audio&kinds=CREATED")
		p.Check("filtered, narrow and dark")
		p.Shoot(fmt.Sprintf("live-%d", width))
	}
	plain := open(t, n).WithoutScript()
	plain.Go("/live")
	wantText(t, plain.Text("#live"), "While paused", "Load the page again")
	n.Call(http.MethodDelete, "/api/v1/items/"+film, "").WantStatus(t, http.StatusNoContent)
	nodetest.Eventually(t, "the deletion is shown", func() bool {
		plain.Go("/live")
		return strings.Contains(plain.Text("#live"), "Deleted")
	})
}
