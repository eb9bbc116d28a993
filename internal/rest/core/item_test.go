package core_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

func TestItems_AnySearchTextGetsAListOrAProblem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, search := range []string{strings.Repeat("-", 40), strings.Repeat("-", 200), strings.Repeat("- ", 80),
		strings.Repeat("-a ", 60), strings.Repeat(`"`, 99),
		strings.Repeat("(", 150), strings.Repeat("!", 150), strings.Repeat("or ", 60), strings.Repeat(`-"`, 90),
		strings.Repeat("\t-", 90), "\u00a0-\u2028--", ":*", "a:*b & |"} {
		got := n.Call(http.MethodGet, "/api/v1/items?search="+url.QueryEscape(search), "")
		if got.Status != http.StatusOK && got.Status != http.StatusBadRequest {
			t.Errorf("%.20q…: %d %s", search, got.Status, got.Body)
		}
	}
}
