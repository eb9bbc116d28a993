package browse_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"itemcast/internal/browse/form"
)

func TestForm_OfAStrangerIsNotReadWithoutASignInPage(t *testing.T) {
	t.Parallel()
	s := setup(t, stranger)
	isRead := false
	body := readerFunc(func([]byte) (int, error) { isRead = true; return 0, io.EOF })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/api/t/things/1", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", browserAccept)
	r.Header.Set("Content-Type", form.ContentType)
	w := &statusWriter{header: http.Header{}}
	s.ServeHTTP(w, r)
	if w.status != http.StatusUnauthorized || isRead {
		t.Errorf("status %d, read: %v", w.status, isRead)
	}
}

func TestForm_OutlivesItsSession(t *testing.T) {
	t.Parallel()
	s := setup(t, answering(http.StatusOK, thing, "ETag", `"3"`), func(s *site) { s.options.LoginURL = "/login" })
	ann := s.actor
	values := s.open("/api/t/things/1").form("patchThing", fieldsForm)
	values.Set("body.name", "Mug")
	s.actor = nil
	before := len(s.requests)
	p := s.post("/api/t/things/1", values).status(http.StatusUnauthorized).
		has(`<a href="/login?next=%2Fapi%2Ft%2Fthings%2F1" target="_blank"`, "Nothing was sent")
	if len(s.requests) != before {
		t.Error("the API received a request")
	}
	s.actor = ann
	s.post("/api/t/things/1", p.form("patchThing", fieldsForm))
	if r := s.last(); r.Method != http.MethodPatch || r.body != `{"name":"Mug"}` || r.Header.Get("If-Match") != `"3"` {
		t.Errorf("%s %s %v", r.Method, r.body, r.Header)
	}
	s.actor = nil
	for name, values := range map[string]url.Values{
		"too large":       {"_method": {"PATCH"}, "body.name": {strings.Repeat("x", 300<<10)}},
		"of no operation": {"_method": {"BREW"}},
	} {
		if p := s.post("/api/t/things/1", values).status(http.StatusUnauthorized); strings.Contains(p.main(), "xxx") {
			t.Errorf("%s: the form is shown again", name)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header         { return w.header }
func (w *statusWriter) WriteHeader(status int)      { w.status = status }
func (w *statusWriter) Write(p []byte) (int, error) { return len(p), nil }
