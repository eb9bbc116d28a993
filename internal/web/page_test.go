package web

import (
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pages are the pages without a form, by the tree of assets that they are made from.
var pages = map[string]func(fs.FS) http.Handler{
	"home":       func(files fs.FS) http.Handler { return newHome(files, "https://items.example/", stranger) },
	"playground": func(files fs.FS) http.Handler { return newPlayground(files, "https://items.example") },
}

func stranger(*http.Request) string { return "" }

func TestPages_HaveNoInlineScript(t *testing.T) {
	t.Parallel()
	inline := regexp.MustCompile(`(?i)<script[^>]*>[^<]|\son[a-z]+=|javascript:|<style|\sstyle=`)
	for name, newPage := range pages {
		w := request(newPage(builtTree(t)), "GET", "/")
		if found := inline.FindString(w.Body.String()); found != "" {
			t.Errorf("%s has %q", name, found)
		}
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe-eval") {
			t.Errorf("%s: policy %q", name, policy)
		}
		if scripts := directive(policy, "script-src"); scripts != "" && scripts != "'self'" {
			t.Errorf("%s: script-src %s", name, scripts)
		}
	}
}

func TestPages_ReferToNoOtherOrigin(t *testing.T) {
	t.Parallel()
	reference := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	for name, newPage := range pages {
		w := request(newPage(builtTree(t)), "GET", "/")
		for _, found := range reference.FindAllStringSubmatch(w.Body.String(), -1) {
			if !strings.HasPrefix(found[1], "/") || strings.HasPrefix(found[1], "//") {
				t.Errorf("%s refers to %s", name, found[1])
			}
		}
	}
}

func TestPages_SendSecurityAndCacheHeaders(t *testing.T) {
	t.Parallel()
	for name, newPage := range pages {
		answer := request(newPage(builtTree(t)), "GET", "/")
		h := answer.Header()
		for header, want := range map[string]string{
			"Content-Type":           "text/html; charset=utf-8",
			"Content-Length":         strconv.Itoa(answer.Body.Len()),
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "same-origin",
			"Cache-Control":          map[string]string{"home": "no-store", "playground": "no-cache"}[name],
		} {
			if got := h.Get(header); got != want {
				t.Errorf("%s: %s %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestPages_InAnUnbuiltTreeSayWhatToRun(t *testing.T) {
	t.Parallel()
	for name, newPage := range pages {
		body := request(newPage(unbuiltTree()), "GET", "/").Body.String()
		if !strings.Contains(body, "assets are not built: run <code>make build</code>") {
			t.Errorf("%s does not:\n%s", name, body)
		}
		if strings.Contains(body, "/assets/") {
			t.Errorf("%s refers to assets that do not exist:\n%s", name, body)
		}
	}
}

func TestPages_TakeGETAndHEADOnly(t *testing.T) {
	t.Parallel()
	for name, newPage := range pages {
		w := request(newPage(builtTree(t)), "POST", "/")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: POST has status %d, Allow %q", name, w.Code, w.Header().Get("Allow"))
		}
		if w := request(newPage(builtTree(t)), "HEAD", "/"); w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%s: HEAD has status %d with %d bytes", name, w.Code, w.Body.Len())
		}
	}
}

func TestHome_ExamplesUseThePublicURL(t *testing.T) {
	t.Parallel()
	body := request(pages["home"](builtTree(t)), "GET", "/").Body.String()
	for _, want := range []string{
		`href="/graphql"`, `href="/api/v1/"`, `href="/api/v1/openapi.json"`, "https://items.example/api/v1/items\n",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

func TestHome_ShowsItsUser(t *testing.T) {
	t.Parallel()
	ada := func(*http.Request) string { return "ada@example.com" }
	body := request(newHome(builtTree(t), "https://items.example", ada), "GET", "/").Body.String()
	for _, want := range []string{"ada@example.com", `action="/logout"`, `name="everywhere"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	body = request(pages["home"](builtTree(t)), "GET", "/").Body.String()
	if !strings.Contains(body, `href="/login"`) {
		t.Errorf("a stranger cannot sign in:\n%s", body)
	}
}

// A proxy serves Itemcast below a path of its host.
func TestPages_AreBelowThePathOfThePublicURL(t *testing.T) {
	t.Parallel()
	const publicURL = "https://example.com/hub"
	reference := regexp.MustCompile(`(?:src|href|action|data-endpoint|data-home|value)="(/[^"]*)"`)
	for name, h := range map[string]http.Handler{
		"home":       newHome(builtTree(t), publicURL, func(*http.Request) string { return "ada@example.com" }),
		"playground": newPlayground(builtTree(t), publicURL),
		"login":      newLogin(builtTree(t), publicURL, sessions("ada@example.com")),
		"reset":      newReset(builtTree(t), publicURL, sessions("")),
	} {
		found := reference.FindAllStringSubmatch(request(h, "GET", "/hub/?token=T").Body.String(), -1)
		if len(found) < 3 {
			t.Errorf("%s has the addresses %q", name, found)
		}
		for _, address := range found {
			if !strings.HasPrefix(address[1], "/hub/") {
				t.Errorf("%s refers to %s", name, address[1])
			}
		}
	}
}

func TestPlayground_HasItsSettingsInDataAttributes(t *testing.T) {
	t.Parallel()
	w := request(newPlayground(builtTree(t), "https://items.example"), "GET", "/graphql")
	for _, want := range []string{
		`data-endpoint="/graphql"`,
		`<script type="module" src="/assets/playground-AAAAAAAA.js"></script>`,
		`<link rel="stylesheet" href="/assets/playground-BBBBBBBB.css">`,
		`<link rel="modulepreload" href="/assets/chunk-AAAAAAAA.js">`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s in\n%s", want, w.Body)
		}
	}
	if got := w.Header().Get("Vary"); got != "Accept, Sec-Fetch-Mode" {
		t.Errorf("Vary %q, but the API has the same URL", got)
	}
}

func TestPlayground_InAnUnbuiltTreeIsUnavailable(t *testing.T) {
	t.Parallel()
	if w := request(newPlayground(unbuiltTree(), "https://items.example"), "GET", "/graphql"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
}

func directive(policy, name string) string {
	for part := range strings.SplitSeq(policy, "; ") {
		if value, ok := strings.CutPrefix(part, name+" "); ok {
			return value
		}
	}
	return ""
}
