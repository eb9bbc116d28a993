package web_test

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	browsertest.Close()
	os.Exit(code)
}

// open opens a tab on a node, as the administrator.
func open(t testing.TB, n *nodetest.Node) *browsertest.Page {
	t.Helper()
	return openIn(t, n, "en")
}

func openIn(t testing.TB, n *nodetest.Node, language string) *browsertest.Page {
	t.Helper()
	return browsertest.Open(t, n.URL).As(nodetest.AdminEmail, nodetest.AdminPassword, language)
}

var back = chromedp.NavigateBack()
