package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"testing"
)

func TestAssets_AreCompressedTypedAndImmutable(t *testing.T) {
	t.Parallel()
	w := request(newAssets(builtTree(t)), "GET", "/assets/playground-AAAAAAAA.js", "Accept-Encoding", "br, gzip")

	for name, want := range map[string]string{
		"Content-Type":           "text/javascript; charset=utf-8",
		"Content-Encoding":       "gzip",
		"Cache-Control":          "public, max-age=31536000, immutable",
		"Vary":                   "Accept-Encoding",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	body, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(body); string(got) != script {
		t.Errorf("body %q, want %q", got, script)
	}
}

func TestAssets_WithoutGzipClientsGetPlainBytes(t *testing.T) {
	t.Parallel()
	w := request(newAssets(builtTree(t)), "GET", "/assets/playground-AAAAAAAA.js", "Accept-Encoding", "gzip;q=0")
	if got := w.Header().Get("Content-Encoding"); got != "" {
		t.Errorf("Content-Encoding %q", got)
	}
	if got := w.Body.String(); got != script {
		t.Errorf("body %q, want %q", got, script)
	}
}

func TestAssets_ACachedCopyIsNotSentAgain(t *testing.T) {
	t.Parallel()
	h := newAssets(builtTree(t))
	tag := request(h, "GET", "/assets/playground-AAAAAAAA.js", "Accept-Encoding", "gzip").Header().Get("ETag")
	w := request(h, "GET", "/assets/playground-AAAAAAAA.js", "Accept-Encoding", "gzip", "If-None-Match", tag)
	if w.Code != http.StatusNotModified {
		t.Errorf("status %d, want 304", w.Code)
	}
}

func TestAssets_HeadHasNoBody(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"gzip", "identity"} {
		w := request(newAssets(builtTree(t)), "HEAD", "/assets/codicon-AAAAAAAA.ttf", "Accept-Encoding", encoding)
		if w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("%s: status %d with %d bytes", encoding, w.Code, w.Body.Len())
		}
	}
}

func TestAssets_NothingElseIsServed(t *testing.T) {
	t.Parallel()
	h := newAssets(builtTree(t))
	for _, path := range []string{
		"/assets/", "/assets", "/assets/manifest.json", "/assets/.gitkeep", "/assets/playground-AAAAAAAA.js.gz",
		"/assets/secret-AAAAAAAA.key", "/assets/../web.go", "/assets/gone-AAAAAAAA.js",
	} {
		if w := request(h, "GET", path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", path, w.Code)
		}
	}
}
