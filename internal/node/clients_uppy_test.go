package node_test

import (
	"crypto/sha256"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"itemcast/internal/browsertest"
	"itemcast/internal/node/nodetest"
)

// Uppy, unmodified, in Chromium, on a website of another origin whose server signs the tickets: two files at once become
// two items with the same bytes, and a file that the profile does not take is refused in words.
func TestClients_UppyUploadsFromAWebsite(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	profile, secret := uploadProfile(t, n.Client)
	run := interpreter(t, "upload-ticket/uppy/serve.mjs")
	site := string(nodetest.Next(t, program(t, run[0], append(run[1:], n.URL, profile, secret, "0")...)))
	n.Call(http.MethodPatch, "/api/v1/workflow-profiles/"+profile, `{"uploads":{"origins":["`+site+`"],
		"content_types":["video/*"]}}`).WantStatus(t, http.StatusOK)

	first, firstSum := newClip(t, 3<<20)
	second, secondSum := newClip(t, 1<<20)
	text := first + ".txt"
	if err := os.WriteFile(text, []byte(strings.Repeat("no video\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	page := browsertest.Open(t, site)
	page.Go("/")
	page.Do(chromedp.SetUploadFiles("input", []string{first, second, text}))
	page.Wait("all files end", `[...document.querySelectorAll('li')].filter((e) => !/waits$|%$/.test(e.textContent)).length == 3`)
	rows := browsertest.Eval[[]string](page, `[...document.querySelectorAll('li')].map((e) => e.textContent)`)
	sums := map[[sha256.Size]byte]bool{}
	for _, row := range rows[:2] {
		_, item, found := strings.Cut(row, "has become item ")
		if !found {
			t.Fatalf("the page says %q", rows)
		}
		sums[sumOfSource(t, n.Client, item)] = true
	}
	if !sums[firstSum] || !sums[secondSum] {
		t.Error("the items have other bytes than the files")
	}
	if !strings.Contains(rows[2], "is of the type text/plain") {
		t.Errorf("of a text, the page says %q", rows[2])
	}
}
