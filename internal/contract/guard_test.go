package contract_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"itemcast/internal/contract"
	"itemcast/internal/contract/contracttest"
)

func TestGuard_AnswersWithTheRightCode(t *testing.T) {
	t.Parallel()
	server := setup(t)
	const isJSON, isPatch = "Content-Type: application/json", "Content-Type: application/merge-patch+json"
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		code, detail       string
	}{
		"good, with charset":    {"POST", "/things", `{"name":"a"}`, []string{"Content-Type: Application/JSON; charset=UTF-8"}, "", ""},
		"good patch":            {"PATCH", "/things/" + id, `{"name":"a"}`, []string{isPatch}, "", ""},
		"good, no optional":     {"PATCH", "/things/" + id, "", nil, "", ""},
		"good, no body":         {"POST", "/things/" + id, "", []string{isJSON}, "", ""},
		"good stream":           {"POST", "/things/import", "{not json", []string{"Content-Type: application/x-ndjson"}, "", ""},
		"no UUID":               {"GET", "/things/7", "", nil, "NOT_FOUND", ""},
		"nearly a UUID":         {"GET", "/things/" + strings.Replace(id, "a", "g", 1), "", nil, "NOT_FOUND", ""},
		"UUID in braces":        {"GET", "/things/{" + id + "}", "", nil, "NOT_FOUND", ""},
		"NUL in the path":       {"GET", "/things/\x00", "", nil, "NOT_FOUND", ""},
		"no such route":         {"GET", "/nothing", "", nil, "NOT_FOUND", ""},
		"trailing slash":        {"GET", "/things/", "", nil, "NOT_FOUND", ""},
		"no such method":        {"DELETE", "/things", "", nil, "METHOD_NOT_ALLOWED", "GET, HEAD, POST"},
		"no such method either": {"TRACE", "/things/" + id, "", nil, "METHOD_NOT_ALLOWED", "GET, HEAD, POST, PATCH"},
		"no type":               {"POST", "/things", `{}`, nil, "UNSUPPORTED_MEDIA_TYPE", "application/json"},
		"a form":                {"POST", "/things", `a=b`, []string{"Content-Type: application/x-www-form-urlencoded"}, "UNSUPPORTED_MEDIA_TYPE", ""},
		"a broken type":         {"POST", "/things", `{}`, []string{"Content-Type: ;;"}, "UNSUPPORTED_MEDIA_TYPE", ""},
		"two types":             {"POST", "/things", `{}`, []string{isJSON, isJSON}, "UNSUPPORTED_MEDIA_TYPE", ""},
		"another charset":       {"POST", "/things", `{}`, []string{"Content-Type: application/json; charset=latin1"}, "UNSUPPORTED_MEDIA_TYPE", ""},
		"compressed":            {"POST", "/things", `{}`, []string{isJSON, "Content-Encoding: gzip"}, "UNSUPPORTED_MEDIA_TYPE", ""},
		"a patch as JSON":       {"PATCH", "/things/" + id, `{"name":"a"}`, []string{isJSON}, "", ""},
		"a patch as text":       {"PATCH", "/things/" + id, `{}`, []string{"Content-Type: text/plain"}, "UNSUPPORTED_MEDIA_TYPE", "application/merge-patch+json or application/json"},
		"JSON for a stream":     {"POST", "/things/import", `{}`, []string{isJSON}, "UNSUPPORTED_MEDIA_TYPE", "application/x-ndjson"},
		"no stream":             {"POST", "/things/import", "", nil, "BAD_REQUEST", "required"},
		"no body":               {"POST", "/things", "", []string{isJSON}, "BAD_REQUEST", "required"},
		"a body too many":       {"POST", "/things/" + id, "{}", []string{isJSON}, "BAD_REQUEST", "no body"},
		"a body for GET":        {"GET", "/things/" + id, "{}", nil, "BAD_REQUEST", "no body"},
		"not JSON":              {"POST", "/things", `{"name":`, []string{isJSON}, "INVALID_JSON", "byte 8"},
		"duplicate":             {"POST", "/things", `{"name":"a","name":"b"}`, []string{isJSON}, "INVALID_JSON", "duplicate name"},
		"invalid UTF-8":         {"POST", "/things", "{\"name\":\"\xff\"}", []string{isJSON}, "INVALID_JSON", "UTF-8"},
		"lone surrogate":        {"POST", "/things", `{"name":"\udfff"}`, []string{isJSON}, "INVALID_JSON", "surrogate"},
		"too deep":              {"POST", "/things", `{"name":"a","free":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}", []string{isJSON}, "INVALID_INPUT", ""},
		"too large":             {"POST", "/things", `{"name":"` + strings.Repeat("a", 200_000) + `"}`, []string{isJSON}, "TOO_LARGE", "100000"},
		"text only":             {"GET", "/things/" + id, "", []string{"Accept: text/plain"}, "NOT_ACCEPTABLE", "application/json"},
		"all but JSON":          {"GET", "/things/" + id, "", []string{"Accept: application/json;q=0"}, "NOT_ACCEPTABLE", ""},
		"any":                   {"GET", "/things/" + id, "", []string{"Accept: */*"}, "", ""},
		"any application":       {"GET", "/things/" + id, "", []string{"Accept: text/html, application/*;q=0.1"}, "", ""},
		"problems":              {"GET", "/things/" + id, "", []string{"Accept: application/problem+json"}, "", ""},
		"JSON in parts":         {"GET", "/things/" + id, "", []string{"Accept: text/plain", "Accept: application/json;charset=utf-8"}, "", ""},
		"an empty Accept":       {"GET", "/things/" + id, "", []string{"Accept: "}, "", ""},
		"an unreadable Accept":  {"GET", "/things/" + id, "", []string{"Accept: ///;;"}, "", ""},
		"no answer to accept":   {"POST", "/things/" + id, "", []string{"Accept: text/plain"}, "", ""},
		"a long header":         {"GET", "/things", "", []string{"If-None-Match: " + strings.Repeat("x", 11)}, "INVALID_INPUT", ""},
		"a header twice":        {"GET", "/things", "", []string{"If-None-Match: a", "If-None-Match: b"}, "INVALID_INPUT", ""},
		"an empty key":          {"POST", "/things", `{"name":"a"}`, []string{isJSON, "Idempotency-Key: "}, "INVALID_INPUT", ""},
		"a header in latin1":    {"POST", "/things", `{"name":"a"}`, []string{isJSON, "Idempotency-Key: \xe9"}, "INVALID_INPUT", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, c.method, "/api/t"+c.path, c.body, c.headers...)
			if string(got.Code) != c.code || !strings.Contains(got.Detail, c.detail) {
				t.Errorf("got %d %s", got.ResponseRecorder.Code, got.Body)
			}
			wantPatch := ""
			if c.method == "PATCH" && c.code == "UNSUPPORTED_MEDIA_TYPE" {
				wantPatch = "application/merge-patch+json, application/json"
			}
			if got := got.Header().Get("Accept-Patch"); got != wantPatch {
				t.Errorf("Accept-Patch: %s", got)
			}
			if allow := got.Header().Get("Allow"); c.code == "METHOD_NOT_ALLOWED" && allow != c.detail {
				t.Errorf("Allow: %s", allow)
			}
		})
	}
}

func TestGuard_ReportsFaultsOfParametersAndBodyTogether(t *testing.T) {
	t.Parallel()
	got := ask(t, setup(t), "POST", "/api/t/things?x=1", `{"name":""}`,
		"Content-Type: application/json", "Idempotency-Key: 12345678901")
	want := "Idempotency-Key must have at most 10 characters\nx unknown parameter\n#/name must not be empty\n"
	if got.faults() != want {
		t.Errorf("got %s", got.faults())
	}
}

func TestGuard_RefusesToStartWithoutTheOperation(t *testing.T) {
	t.Parallel()
	document := contracttest.Document(t, []byte(things))
	for _, pattern := range []string{"GET /api/t/other", "DELETE /api/t/things", "GET /things", "/api/t/things"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was registered", pattern)
				}
			}()
			document.Guard(http.NewServeMux(), contract.Options{}).HandleFunc(pattern, http.NotFound)
		}()
	}
}

func FuzzGuard(f *testing.F) {
	server := setup(f)
	f.Add("limit=1&tags=a,b", `{"name":"a","tags":[1]}`, "application/json", "*/*")
	f.Add("%zz&;&metadata.x=%00", `{"free":{"a":[{"b":1e999}]}}`, "application/merge-patch+json", "text/plain;q=0")
	f.Add("since=x&kind=", `{"name":"\ud800"}`, "application/json; charset=x", "a/b, */")
	f.Fuzz(func(t *testing.T, query, body, contentType, accept string) {
		for _, method := range []string{"GET", "POST"} {
			got := ask(t, server, method, "/api/t/things?"+query, body, "Content-Type: "+contentType, "Accept: "+accept)
			if status := got.ResponseRecorder.Code; status != 200 && (status < 400 || status > 499) {
				t.Errorf("status %d: %s", status, got.Body)
			}
		}
	})
}

// BenchmarkGuard measures mux and Guard; "mux" is the same without the Guard.
func BenchmarkGuard(b *testing.B) {
	guarded, bare := setup(b), http.NewServeMux()
	bare.HandleFunc("GET /api/t/things/{id}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	const post = `{"name":"Metro","kind":"video","tags":["a","b"],"metadata":{"a":"MGM","b":1927},` +
		`"parts":[{"url":"https://example.com/x"}]}`
	for _, c := range []struct {
		name, method, target, body string
		server                     http.Handler
	}{
		{"mux", "GET", "/api/t/things/" + id, "", bare},
		{"get", "GET", "/api/t/things/" + id, "", guarded},
		{"list", "GET", "/api/t/things?limit=50&tags=a,b&sort=-name", "", guarded},
		{"post", "POST", "/api/t/things", post, guarded},
	} {
		b.Run(c.name, func(b *testing.B) {
			request := httptest.NewRequest(c.method, c.target, nil)
			request.Header.Set("Accept", "application/json, */*;q=0.5")
			request.Header.Set("Content-Type", "application/json")
			b.ReportAllocs()
			for b.Loop() {
				request.Body, request.ContentLength = http.NoBody, int64(len(c.body))
				if c.body != "" {
					request.Body = io.NopCloser(strings.NewReader(c.body))
				}
				c.server.ServeHTTP(nowhere{}, request)
			}
		})
	}
}

// nowhere is a response that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
