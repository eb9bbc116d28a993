package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/fstest"
)

const script = "export const answer = 42;\n"

// builtTree is a small tree of built assets.
func builtTree(t *testing.T) fstest.MapFS {
	t.Helper()
	m, err := json.Marshal(manifest{
		Icon:    "icon-AAAAAAAA.svg",
		Notices: "notices-AAAAAAAA.txt",
		Pages: map[string]bundle{
			"playground": {
				Script:  "playground-AAAAAAAA.js",
				Styles:  []string{"playground-BBBBBBBB.css"},
				Preload: []string{"chunk-AAAAAAAA.js"},
			},
			"home": {Styles: []string{"home-AAAAAAAA.css"}},
			"form": {Styles: []string{"form-AAAAAAAA.css"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		".gitkeep":                  {},
		"manifest.json":             {Data: m},
		"playground-AAAAAAAA.js.gz": {Data: pack(t, script)},
		"codicon-AAAAAAAA.ttf.gz":   {Data: pack(t, "font")},
		"secret-AAAAAAAA.key.gz":    {Data: pack(t, "no asset has this type")},
	}
}

// unbuiltTree is the tree of a fresh clone.
func unbuiltTree() fstest.MapFS { return fstest.MapFS{".gitkeep": {}} }

func pack(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func request(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBuilt_EveryFileInTheManifestIsServed(t *testing.T) {
	t.Parallel()
	m, err := readManifest(built())
	if err != nil {
		t.Skipf("the assets are not built: %v", err)
	}
	var names []string
	for _, b := range m.Pages {
		names = append(names, b.Styles...)
		names = append(names, b.Preload...)
		if b.Script != "" {
			names = append(names, b.Script)
		}
	}
	names = append(names, m.Icon, m.Notices)
	for _, name := range names {
		if w := request(Assets(), "GET", "/assets/"+name); w.Code != http.StatusOK {
			t.Errorf("GET /assets/%s: status %d", name, w.Code)
		}
	}
}

// Browsers never ask again for a file, so another content must have another name.
func TestBuilt_EveryFileHasAHashInItsName(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(built(), "*.gz")
	if err != nil {
		t.Fatal(err)
	}
	hashed := regexp.MustCompile(`^[a-z.]+-[A-Z0-9]{8}\.[a-z]+\.gz$`)
	for _, name := range names {
		if !hashed.MatchString(name) {
			t.Errorf("%s has no hash", name)
		}
	}
}
