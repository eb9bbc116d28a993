package web_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

// The script of an ordinary page, without what it loads later: 200 kB is the budget.
func TestBuilt_TheScriptOfAPageIsSmall(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	p := open(t, n)
	p.Go("/items")
	size := browsertest.Eval[int](p, `performance.getEntriesByType('resource')
		.filter((e) => e.name.endsWith('.js')).reduce((sum, e) => sum + e.decodedBodySize, 0)`)
	if size == 0 || size > 200_000 {
		t.Errorf("the page loads %d bytes of script", size)
	}
}

func TestBrowser_AChosenFileBecomesAnItem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	file := filepath.Join(t.TempDir(), "poster.png")
	if err := os.WriteFile(file, []byte(pixels(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, n)
	p.Go("/items")
	p.Do(chromedp.SetUploadFiles(chromedp.CSS("#upload-files"), []string{file}))
	p.WaitText("#upload", "Uploaded. Open the item")
	p.Check("the list after an upload")
	p.Shoot("items-upload")
	p.Follow("#upload li a", http.StatusOK)
	p.WaitText("#files", "Original")
	wantText(t, p.Text("h1"), "poster")
}

// pixels returns a small picture.
func pixels(t *testing.T) string {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 64, 36))); err != nil {
		t.Fatal(err)
	}
	return picture.String()
}
