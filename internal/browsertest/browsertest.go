// Package browsertest starts Chromium: one browser for all tests of a package, with a tab and a profile of its own for
// each test. Call Close when the tests have ended.
package browsertest

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Timeout bounds each wait for the browser, which a busy machine makes slow. Only a test that fails waits as long.
const Timeout = 3 * time.Minute

// end ends the browser, if a test started it.
var end = func() {}

// Close ends the browser.
func Close() { end() }

// start starts the browser.
var start = sync.OnceValues(func() (context.Context, error) {
	profile, err := os.MkdirTemp("", "itemcast-browser-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true))
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	end = func() { closeTab(); endAllocator(); _ = os.RemoveAll(profile) }
	return ctx, chromedp.Do(ctx)
})

// Tab opens a tab, which the end of the test closes. Each of its documents runs a script first.
//
// The tab lives as long as the context of its first use, so it has been used once, with a context without a deadline.
func Tab(t testing.TB, script string) context.Context {
	t.Helper()
	browser, err := start()
	if err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatal(err)
	}
	first := cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: script}
	if _, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, first); err != nil {
		t.Fatal(err)
	}
	return ctx
}
