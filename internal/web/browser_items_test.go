package web_test

import (
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

// A list in one browser, while things change.
func TestBrowser_TheListFollowsChanges(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	one := n.CreateItem(`{"name":"Metropolis","tags":["silent"],"privacy":"public"}`)
	two := n.CreateItem(`{"name":"Nosferatu","tags":["silent"]}`)
	p := open(t, n)
	p.Go("/items?tags=silent")
	p.Wait("the page follows", `'follows' in document.documentElement.dataset`)
	p.Click("#i-" + two + " input")
	p.WaitText("#selected", "1 selected")
	n.PatchItem(one, `{"name":"<b>Changed</b>"}`)
	n.PatchItem(two, `{"duration":61}`)
	p.WaitText("#i-"+one+" .name", "<b>Changed</b>")
	p.WaitText("#i-"+two+" .length", "1:01")
	if !browsertest.Eval[bool](p, `document.querySelector('#i-`+two+` input').checked`) {
		t.Error("the selection is lost")
	}
	n.CreateItem(`{"name":"Sunrise","tags":["silent"]}`)
	p.WaitText("#news", "New items: 1.")
	p.Check("the list with news")
	n.PatchItem(one, `{"tags":[]}`)
	p.WaitText("#i-"+one, "no longer matches")
	n.Call(http.MethodDelete, "/api/v1/items/"+two, "").WantStatus(t, http.StatusNoContent)
	p.WaitText("#i-"+two, "deleted")
	p.WaitText("#selected", "None selected")
	p.Shoot("items-live")
}

func TestBrowser_TheListIsFilteredWhileTyping(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.CreateItem(`{"name":"Metropolis"}`)
	sunrise := n.CreateItem(`{"name":"Sunrise"}`)
	p := open(t, n)
	p.Go("/items")
	p.Type("#search", "sunr")
	p.Wait("the address has the search", `location.search === '?search=sunr'`)
	p.WaitText("#rows", "Sunrise")
	if strings.Contains(p.Text("#rows"), "Metropolis") {
		t.Error("the list is not filtered")
	}
	if !browsertest.Eval[bool](p, `document.activeElement.id === 'search'`) {
		t.Error("the focus is lost")
	}
	p.Wait("the new list follows", `'follows' in document.documentElement.dataset`)
	n.PatchItem(sunrise, `{"name":"Sunrise 2"}`)
	p.WaitText("#rows", "Sunrise 2")
	p.Check("the filtered list")
	p.Do(back)
	p.Wait("back shows the whole list", `location.search === '' && document.querySelectorAll('#rows tr').length === 2`)
}

// Without JavaScript, everything that people do in the list works.
func TestBrowser_TheListWorksWithoutScript(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	one := n.CreateItem(`{"name":"Metropolis"}`)
	p := open(t, n).WithoutScript()
	p.Go("/items")
	p.Fill("#search", "metropolis")
	p.Follow("#filter button", http.StatusOK)
	if got := p.Path(); got != "/items?search=metropolis" {
		t.Errorf("the filter leads to %s", got)
	}
	p.Click("#i-" + one + " input")
	p.Fill("#bulk-tag", "silent")
	p.Follow("button[value=tag]", http.StatusOK)
	wantText(t, p.Text("#notice"), "Added the tag to 1 item.")
	p.Click("#i-" + one + " input")
	p.Follow("button[value=delete]", http.StatusOK)
	p.Follow("button.danger", http.StatusOK)
	wantText(t, p.Text("main"), "Deleted 1 item.", "No item matches")
	n.Call(http.MethodGet, "/api/v1/items/"+one, "").WantStatus(t, http.StatusNotFound)
}
