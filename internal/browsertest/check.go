package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// axe is the text of axe-core, which an example has among its packages.
var axe = sync.OnceValues(func() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			text, err := os.ReadFile(filepath.Join(folder, "examples/frontend/node_modules/axe-core/axe.min.js"))
			return string(text), err
		}
		above := filepath.Dir(folder)
		if above == folder {
			return "", os.ErrNotExist
		}
		folder = above
	}
})

// axeRun names what axe finds. It looks by tags: without wcag22aa it passes over small targets.
const axeRun = `;axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
	.then(({ violations }) => violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))`

// unnamed finds what axe passes over: progress bars and dialogs without a name, and fields with a placeholder only.
const unnamed = `[...document.querySelectorAll('progress, dialog, [role=progressbar], [role=dialog]')]
	.filter((e) => !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby') && !e.labels?.length)
	.concat([...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter((e) =>
		!e.labels?.length && !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')))
	.map((e) => e.outerHTML)`

// Check checks the page as it is: that everybody can use it, that its policy forbade nothing, that its scripts had no
// error, and that nothing is wider than the window.
func (p *Page) Check(what string) {
	p.T.Helper()
	script, err := axe()
	if err != nil {
		p.T.Fatalf("axe-core is not installed; run make clients: %v", err)
	}
	if found := Eval[[]string](p, script+axeRun); len(found) > 0 {
		p.T.Errorf("%s is hard to use for some people: %s", what, strings.Join(found, "\n"))
	}
	if found := Eval[[]string](p, unnamed); len(found) > 0 {
		p.T.Errorf("%s has parts without a name: %q", what, found)
	}
	if found := Eval[[]string](p, `violations`); len(found) > 0 {
		p.T.Errorf("%s: %q", what, found)
	}
	if width := Eval[[]int](p, `[document.documentElement.scrollWidth, innerWidth]`); width[0] > width[1] {
		p.T.Errorf("%s is %d pixels wide in a window of %d", what, width[0], width[1])
	}
}

// moved adds up how far parts of the page have moved by themselves since it was loaded (cumulative layout shift).
const moved = `new Promise((done) => {
	let sum = 0;
	new PerformanceObserver((list) => {
		for (const shift of list.getEntries()) if (!shift.hadRecentInput) sum += shift.value;
	}).observe({ type: 'layout-shift', buffered: true });
	requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})`

// maxMoved is the shift up to which people feel that a page stands still (web.dev, "good" CLS).
const maxMoved = 0.1

// Stands checks that the page has not moved under its reader since it was loaded.
func (p *Page) Stands(what string) {
	p.T.Helper()
	if shift := Eval[float64](p, moved); shift > maxMoved {
		p.T.Errorf("%s has moved by %.3f since it was loaded", what, shift)
	}
}
