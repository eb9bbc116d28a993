package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"itemcast/internal/accept"
)

// assetTypes are the media types of the files that are served. The system's table differs from machine to machine.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".ttf": "font/ttf",
	".txt": "text/plain; charset=utf-8",
}

type assets struct {
	packed map[string][]byte // gzip, by the name of the file
}

func newAssets(files fs.FS) http.Handler {
	a := assets{packed: map[string][]byte{}}
	names, _ := fs.Glob(files, "*.gz") // fails for a malformed pattern only
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			continue // cannot happen with embedded files
		}
		a.packed[strings.TrimSuffix(name, ".gz")] = body
	}
	return readOnly(a)
}

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/assets/")
	packed, found := a.packed[name]
	contentType, known := assetTypes[path.Ext(name)]
	if !found || !known {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	// A worker runs under the policy of its own response. Our workers fetch and evaluate nothing.
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	// The name changes with the content (RFC 8246).
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if !accept.Gzip(r.Header["Accept-Encoding"]) {
		unpack(w, r, packed)
		return
	}
	h.Set("Content-Encoding", "gzip")
	h.Set("ETag", `"`+name+`"`)
	noTime := time.Time{} // embedded files have no modification time, so there is no Last-Modified
	http.ServeContent(w, r, "", noTime, bytes.NewReader(packed))
}

// unpack serves the rare client that does not accept gzip.
func unpack(w http.ResponseWriter, r *http.Request, packed []byte) {
	if r.Method == http.MethodHead {
		return
	}
	body, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		http.Error(w, "The asset is damaged. Run make build and start Itemcast again.", http.StatusInternalServerError)
		return
	}
	_, _ = io.Copy(w, body) // fails when the client is gone
}
