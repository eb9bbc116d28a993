package core_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// The server takes every next and previous that it gives, whatever the items are called, and so do proxies that limit
// the length of a URL.
func TestPages_OfTheLongestNamesCanBeFollowed(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, letter := range []string{"<", "漢", "😀"} {
		for i := range 3 {
			n.CreateItem(`{"name":"` + strings.Repeat(letter, 499) + strconv.Itoa(i) + `","tags":["` + letter + `"]}`)
		}
		first := "/api/v1/items?sort=name&limit=1&tags=" + letter
		var there []string
		page := n.Call(http.MethodGet, first, "").WantStatus(t, http.StatusOK)
		for {
			there = append(there, itemNames(t, page.Results(t)))
			next := page.Link(t, "next")
			if next == nil {
				break
			}
			if token := next.Query().Get("after"); len(token) > 1000 {
				t.Errorf("a page token has %d characters", len(token))
			}
			page = n.Call(http.MethodGet, next.RequestURI(), "").WantStatus(t, http.StatusOK)
		}
		for i := 1; i >= 0; i-- {
			page = n.Call(http.MethodGet, page.Link(t, "previous").RequestURI(), "").WantStatus(t, http.StatusOK)
			if got := itemNames(t, page.Results(t)); got != there[i] {
				t.Errorf("back at page %d: got another item than before", i)
			}
		}
		if len(there) != 3 {
			t.Errorf("%s: %d pages, want 3", letter, len(there))
		}
	}
}
