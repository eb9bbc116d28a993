package contract_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"itemcast/internal/contract"
	"itemcast/internal/contract/contracttest"
)

func TestGuard_Parameters(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for query, want := range map[string]string{
		"": "", "limit=200&sort=-name&count=true&ratio=1.5&search=a%20b": "", "tags=a,b": "", "metadata.x=1&metadata.y=": "",
		"since=2026-01-31T12:00:00Z": "", "since=2026-01-31T12:00:00.123456%2B02:00": "", "kind=video,audio": "", "&&limit=1&": "",
		"limit=0":                  "limit must be at least 1\n",
		"limit=201":                "limit must be at most 200\n",
		"limit=abc":                "limit must be a whole number\n",
		"limit=":                   "limit must be a whole number\n",
		"limit":                    "limit must be a whole number\n",
		"limit=%201":               "limit must be a whole number\n",
		"limit=%2B1":               "limit must be a whole number\n",
		"limit=1.0":                "limit must be a whole number, in digits only\n",
		"limit=1e999999999":        "limit must be a whole number\n",
		"limit=1e2":                "limit must be a whole number, in digits only\n",
		"limit=null":               "limit must be a whole number\n",
		"limit=1&limit=2":          "limit must be given only once\n",
		"sort=id":                  "sort must be one of name, -name\n",
		"since=yesterday":          "since must be a date and time such as 2026-01-31T12:00:00Z\n",
		"since=2026-01-31":         "since must be a date and time such as 2026-01-31T12:00:00Z\n",
		"count=1":                  "count must be true or false\n",
		"ratio=2":                  "ratio must be at most 1.5\n",
		"ratio=NaN":                "ratio must be a number\n",
		"search=":                  "search must not be empty\n",
		"search=12345678901":       "search must have at most 10 characters\n",
		"search=éééééééééé":        "",
		"search=%ff":               "search must be valid UTF-8\n",
		"search=a%00b":             "search must not contain the character U+0000\n",
		"search=%zz":               "search has a malformed %-escape\n",
		"search=%":                 "search has a malformed %-escape\n",
		"search=a;b":               "search must have semicolons escaped as %3B\n",
		"%zz=1":                    "%zz has a malformed %-escape in its name\n",
		"%00=1":                    "\uFFFD must not contain the character U+0000\n",
		"%ff=1":                    "\uFFFD must be valid UTF-8\n",
		"tags=":                    "tags each value must not be empty\n",
		"tags=a,,b":                "tags each value must not be empty\n",
		"tags=a,b,c,d":             "tags must have at most 3 entries\n",
		"tags=a,toolong,longest,x": "tags must have at most 3 entries\ntags each value must have at most 5 characters\n",
		"kind=video,image":         "kind each value must be one of video, audio\n",
		"metadata.x=toolong":       "metadata.x must have at most 5 characters\n",
		"metadata.x=1&metadata.x=": "metadata.x must be given only once\n",
		"metadata.=1":              "metadata. unknown parameter\n",
		"Limit=1":                  "Limit unknown parameter\n",
		"foo=1&bar=2&limit=x":      "foo unknown parameter\nbar unknown parameter\nlimit must be a whole number\n",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, "GET", "/api/t/things?"+query, "")
			if got.faults() != want || want != "" && got.Code != "INVALID_INPUT" || want == "" && got.ResponseRecorder.Code != 200 {
				t.Errorf("got %s\nwant %s", got.Body, want)
			}
		})
	}
	if got := ask(t, server, "GET", "/api/t/things?"+strings.Repeat("metadata.x=1&", 100), ""); got.Code != "BAD_REQUEST" {
		t.Errorf("too many parameters: %s", got.Body)
	}
}

func TestGuard_GivesARepeatedArrayAsOne(t *testing.T) {
	t.Parallel()
	got := ask(t, setup(t), "GET", "/api/t/things?tags=a&limit=3&tags=b%20c,d", "")
	if query := got.Header().Get("Query"); query != "limit=3&tags=a%2Cb+c%2Cd" {
		t.Errorf("the handler got %s", query)
	}
}

func TestGuard_Bodies(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for name, c := range map[string]struct{ body, want string }{
		"least": {`{"name":"a"}`, ""},
		"all": {`{"name":"éÖ日本語","zone":null,"kind":"audio","count":-2147483648,"total":9223372036854775807,"ratio":1.5,"on":true,` +
			`"id":"` + id + `","at":"2026-01-31T12:00:00Z","day":"2026-01-31","language":"de","tags":["a","b"],` +
			`"parts":[{"url":"https://example.com/","size":null}],"metadata":{"a":1,"b":null},"free":{"x":[{}]},"either":null}`, ""},
		"every fault at once": {
			`{"zone":"east","kind":"image","count":2147483648,"total":1.0,"ratio":2,"on":"yes","id":"x","at":"now","day":"2026-02-30",` +
				`"language":"DE","tags":["a","","a"],"parts":[{"url":"http://","size":-1},{"size":"big"},7],` +
				`"metadata":{"a":[],"b":1,"c":2},"free":[],"either":{"url":5},"colour":1,"a/b":2}`,
			"#/a~1b unknown field\n" +
				"#/at must be a date and time such as 2026-01-31T12:00:00Z\n" +
				"#/colour unknown field\n" +
				"#/count must fit into 32 bits\n" +
				"#/day must be a date such as 2026-01-31\n" +
				"#/either/url must be a string\n" +
				"#/free must be an object\n" +
				"#/id must be a UUID\n" +
				"#/kind must be one of video, audio\n" +
				"#/language must be lower-case letters\n" +
				"#/metadata must have at most 2 fields\n" +
				"#/metadata/a must be a string or a number or true or false or null\n" +
				"#/name is required\n" +
				"#/on must be true or false\n" +
				"#/parts/0/size must be at least 0\n" +
				"#/parts/0/url must be an absolute URL\n" +
				"#/parts/1/size must be a whole number or null\n" +
				"#/parts/1/url is required\n" +
				"#/parts/2 must be an object\n" +
				"#/ratio must be at most 1.5\n" +
				"#/tags/1 must not be empty\n" +
				"#/tags/2 must differ from entry 0\n" +
				"#/total must be a whole number, in digits only\n" +
				"#/zone must be null, or one of north, south\n"},
		"long":       {`{"name":"abcdef","tags":["a","b","c","d"]}`, "#/name must have at most 5 characters\n#/tags must have at most 3 entries\n"},
		"no object":  {`[1]`, "# must be an object\n"},
		"null":       {`null`, "# must be an object\n"},
		"either":     {`{"name":"a","either":7}`, "#/either must be an object or null\n"},
		"NUL":        {`{"name":"\u0000"}`, "#/name must not contain the character U+0000\n"},
		"huge":       {`{"name":"a","ratio":1e400}`, "#/ratio must be a number between -1.8e308 and 1.8e308, and not closer to zero than 5e-324\n"},
		"big number": {`{"name":"a","total":9223372036854775808}`, "#/total must fit into 64 bits\n"},
		"case":       {`{"name":"a","Name":"b"}`, "#/Name unknown field\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, "POST", "/api/t/things", c.body, "Content-Type: application/json")
			if got.faults() != c.want || c.want != "" && got.Code != "INVALID_INPUT" {
				t.Errorf("got %s\n%s\nwant\n%s", got.Body, got.faults(), c.want)
			}
			if c.want == "" && got.Body.String() != c.body {
				t.Errorf("the handler got %q", got.Body)
			}
		})
	}
	many := ask(t, server, "POST", "/api/t/things", `{"name":"a","tags":[`+strings.Repeat("1,", 300)+"1]}", "Content-Type: application/json")
	if len(many.Errors) != 100 {
		t.Errorf("%d faults are told", len(many.Errors))
	}
}

func TestGuard_Refuses(t *testing.T) {
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
		"a patch as JSON":       {"PATCH", "/things/" + id, `{}`, []string{isJSON}, "UNSUPPORTED_MEDIA_TYPE", "application/merge-patch+json"},
		"JSON for a stream":     {"POST", "/things/import", `{}`, []string{isJSON}, "UNSUPPORTED_MEDIA_TYPE", "application/x-ndjson"},
		"no stream":             {"POST", "/things/import", "", nil, "BAD_REQUEST", "required"},
		"no body":               {"POST", "/things", "", []string{isJSON}, "BAD_REQUEST", "required"},
		"an unwanted body":      {"POST", "/things/" + id, "{}", []string{isJSON}, "BAD_REQUEST", "no body"},
		"a body for GET":        {"GET", "/things/" + id, "{}", nil, "BAD_REQUEST", "no body"},
		"not JSON":              {"POST", "/things", `{"name":`, []string{isJSON}, "INVALID_JSON", "byte 8"},
		"duplicate":             {"POST", "/things", `{"name":"a","name":"b"}`, []string{isJSON}, "INVALID_JSON", "already"},
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
		"an empty wish":         {"GET", "/things/" + id, "", []string{"Accept: "}, "", ""},
		"an unreadable wish":    {"GET", "/things/" + id, "", []string{"Accept: ///;;"}, "", ""},
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
			if allow := got.Header().Get("Allow"); c.code == "METHOD_NOT_ALLOWED" && allow != c.detail {
				t.Errorf("Allow: %s", allow)
			}
		})
	}
}

func TestGuard_ToldTogether(t *testing.T) {
	t.Parallel()
	got := ask(t, setup(t), "POST", "/api/t/things?x=1", `{"name":""}`, "Content-Type: application/json", "Idempotency-Key: 12345678901")
	want := "Idempotency-Key must have at most 10 characters\nx unknown parameter\n#/name must not be empty\n"
	if got.faults() != want {
		t.Errorf("got %s", got.faults())
	}
}

// A body that is held against the rules as well passes as it is, if it is JSON and nothing else is wrong with the request.
func TestGuard_LeavesABodyThatIsCheckedWithItsRules(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for name, c := range map[string]struct{ body, key, code, faults string }{
		"good":            {`{"name":"a"}`, "k", "", ""},
		"against":         {`{"nmae":"a","tags":[""]}`, "k", "", ""},
		"a NUL":           {`{"name":"\u0000"}`, "k", "", ""},
		"no JSON":         {`{"name":`, "k", "INVALID_JSON", "#/name is not valid JSON: there is the end of the text\n"},
		"more after it":   {`{"name":"a"} {}`, "k", "INVALID_JSON", "# is not valid JSON: there is something after the end of the value\n"},
		"with a bad key":  {`{"nmae":"a"}`, "12345678901", "INVALID_INPUT", "Idempotency-Key must have at most 10 characters\n#/name is required\n#/nmae unknown field\n"},
		"only a bad key":  {`{"name":"a"}`, "12345678901", "INVALID_INPUT", "Idempotency-Key must have at most 10 characters\n"},
		"too large a one": {`{"name":"` + strings.Repeat("a", 200_000) + `"}`, "k", "TOO_LARGE", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, "POST", "/api/t/things/checked", c.body, "Content-Type: application/json", "Idempotency-Key: "+c.key)
			if string(got.Code) != c.code || got.faults() != c.faults {
				t.Errorf("got %s\n%s", got.Body, got.faults())
			}
			if c.code == "" && got.Body.String() != c.body {
				t.Errorf("the handler got %q", got.Body)
			}
		})
	}
}

func TestGuard_BodiesInChunks(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(setup(t))
	defer server.Close()
	for name, c := range map[string]struct {
		path, body string
		status     int
	}{
		"good":         {"/things", `{"name":"a"}`, 200},
		"empty":        {"/things", "", 400},
		"none wanted":  {"/things/" + id, "", 200},
		"unwanted":     {"/things/" + id, "x", 400},
		"too large":    {"/things", `"` + strings.Repeat("x", 3_000_000), 413},
		"not to limit": {"/things/import", strings.Repeat("x", 3_000_000), 200},
	} {
		t.Run(name, func(t *testing.T) {
			body := io.MultiReader(strings.NewReader(c.body)) // of unknown length
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/t"+c.path, body)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/json")
			if strings.HasSuffix(c.path, "import") {
				request.Header.Set("Content-Type", "application/x-ndjson")
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != c.status {
				t.Errorf("status %d", response.StatusCode)
			}
		})
	}
}

func TestGuard_BodyCutOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(setup(t))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/t/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"name\":")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest && response.StatusCode != 499 { // whichever the server notices first
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestGuard_BodyThatDoesNotComeInTime(t *testing.T) {
	t.Parallel()
	guard := setup(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		guard.ServeHTTP(w, r)
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /api/t/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
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
	bare.HandleFunc("GET /api/t/things/{id}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	const post = `{"name":"Metro","kind":"video","tags":["a","b"],"metadata":{"a":"MGM","b":1927},"parts":[{"url":"https://example.com/x"}]}`
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
