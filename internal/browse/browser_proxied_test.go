package browse_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"itemcast/internal/node/nodetest"
)

// A proxy serves Itemcast below a path of its host. The proxy of the test refuses every other path.
func TestBrowser_WorksBelowAPathOfAProxy(t *testing.T) {
	t.Parallel()
	for name, strips := range map[string]bool{"strips": true, "passes on": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := nodetest.StartProxied(t, strips)
			item := createItem(n, `{"name":"Gilda"}`)
			b := openStrangersTab(t, n)
			b.open("")
			b.follow(`.card[href$="/api/v1/"]`)
			b.wantPath("/hub/login?next=%2Fhub%2Fapi%2Fv1%2F")
			b.signInAsAdmin()
			b.wantPath("/hub/api/v1/")
			b.follow(`.groups a[href="/hub/api/v1/items"]`)
			b.follow(`#body a[href="/hub` + item + `"]`)
			b.waitText("h1", "Gilda")

			b.openForm("patchItem")
			b.fill(`#patchItem-name`, "Gilda (1946)")
			b.submit("patchItem")
			b.wantPath("/hub" + item)
			b.waitText(".notice", "Changed: PATCH answered 200 OK.")
			b.do(chromedp.Query(chromedp.CSS(`body[data-follows]`))) // the event stream is open
			n.Call("PATCH", item, `{"name":"Laura"}`)
			b.waitText("#live", "This has changed since you loaded it")
			wantNoViolations(t, b)

			playgroundWorks(t, b)
			b.open("")
			b.follow(`form.account button`)
			b.wantPath("/hub/login")
			b.open(item)
			b.wantPath("/hub/login?next=%2Fhub%2Fapi%2Fv1%2Fitems%2F" + item[len("/api/v1/items/"):])
		})
	}
}

// playgroundWorks runs the query and the subscription with which the playground begins.
func playgroundWorks(t *testing.T, b *tab) {
	t.Helper()
	b.open("/graphql")
	b.waitText(`.account-name[href$="/me"]`, nodetest.AdminEmail)
	b.do(chromedp.Click(chromedp.CSS(`.graphiql-execute-button`)))
	b.waitText(".result-window", "Laura")
	b.do(chromedp.Click(chromedp.CSS(`.graphiql-tab:nth-child(3) .graphiql-tab-button`)),
		chromedp.Query(chromedp.CSS(`.graphiql-tab-active:nth-child(3)`)),
		chromedp.Click(chromedp.CSS(`.graphiql-execute-button`)))
	nodetest.Eventually(t, "the subscription is open", func() bool {
		// GraphiQL sends the name of the former tab's operation until it has parsed the query of the new one: press again.
		if strings.Contains(b.text(".result-window"), "operation\u00a0Items\u00a0not\u00a0found") {
			b.do(chromedp.Click(chromedp.CSS(`.graphiql-execute-button`)))
		}
		return b.n.Metric("itemcast_live_followers") == 1
	})
	createItem(b.n, `{"name":"Nosferatu"}`)
	b.waitText(".result-window", "Nosferatu")
	wantNoViolations(t, b)
}

func wantNoViolations(t *testing.T, b *tab) {
	t.Helper()
	if found := eval[[]string](b, `violations`); len(found) > 0 {
		t.Errorf("the page breaks its policy: %v", found)
	}
}
