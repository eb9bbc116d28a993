package core_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/node/nodetest"
)

func TestRequest_ParametersAreCheckedAgainstTheContract(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.Call(http.MethodPost, "/api/v1/metadata-fields", `{"key":"year","kind":"number"}`).
		WantStatus(t, http.StatusCreated)
	for query, places := range map[string][]string{
		"limit=0": {"limit"}, "limit=201": {"limit"}, "limit=ten": {"limit"}, "limit=": {"limit"},
		"limit=1.0": {"limit"},
		"limit=1e2": {"limit"},
		"limit=-1":  {"limit"}, "limit=99999999999999999999999": {"limit"}, "limit=1&limit=2": {"limit"},
		"limit=%201": {"limit"},
		"sort=size":  {"sort"}, "sort=NAME": {"sort"}, "count=1": {"count"}, "type=film": {"type"},
		"type=video,":             {"type"},
		"privacy=secret":          {"privacy"},
		"created_after=yesterday": {"created_after"}, "created_after=2026-13-01T00:00:00Z": {"created_after"},
		"updated_after=2026-01-01": {"updated_after"},
		"search=":                  {"search"}, "search=%00": {"search"}, "search=a%00b": {"search"},
		"search=%ff": {"search"}, "search=%zz": {"search"}, "search=%": {"search"},
		"tags=%00": {"tags"}, "tags=a,,b": {"tags"}, "tags=%ed%a0%80": {"tags"},
		"workflow_status=%00": {"workflow_status"},
		"after=%00":           {"after"},
		"metadata.year=%00":   {"metadata.year"}, "metadata.year=x": {"metadata.year"},
		"metadata.year=1e999": {"metadata.year"}, "metadata.none=1": {"metadata.none"}, "metadata.=1": {"metadata."},
		"serach=a": {"serach"}, "Limit=1": {"Limit"}, "a;b": {"a;b"}, "%00=1": nil, "%zz=1": {"%zz"},
		"limit=0&sort=x&nope=1&tags=": {"limit", "nope", "sort", "tags"},
	} {
		for _, path := range []string{"/api/v1/items", "/api/v1/items/export"} {
			got := n.Call(http.MethodGet, path+"?"+query, "").
				WantProblem(t, path+"?"+query, http.StatusBadRequest, "INVALID_INPUT")
			if found := got.FaultPlaces(t); path == "/api/v1/items" && places != nil && !slices.Equal(found, places) {
				t.Errorf("%s: faults at %q, want %q", query, found, places)
			}
			if strings.HasPrefix(query, "limit") || strings.HasPrefix(query, "sort") ||
				strings.HasPrefix(query, "count") ||
				strings.HasPrefix(query, "after") {
				break // the export has no such parameter
			}
		}
	}
	n.Call(http.MethodGet, "/api/v1/me?limit=1", "").
		WantProblem(t, "a parameter of another operation", http.StatusBadRequest, "INVALID_INPUT")
}

func TestRequest_InvalidIDsAreNotFound(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	n.WantNoWrites(func() {
		for _, id := range []string{
			"01890a5d-ac96-774b-bcce-b302099a8057", "7", "no-such", "%00", "%ff", "..%2f..%2fetc",
			"01890a5dac96774bbcceb302099a8057",
			"%7B01890a5d-ac96-774b-bcce-b302099a8057%7D", "01890a5d-ac96-774b-bcce-b302099a805g",
			strings.Repeat("a", 5000),
		} {
			n.ForEachRoute(id, func(name string,
				got nodetest.Response) {
				got.WantProblem(t, name, http.StatusNotFound, "NOT_FOUND")
			})
		}
	})
}

func TestRequest_MediaTypesAndMethodsAreNegotiated(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	n.WantNoWrites(func() {
		for _, c := range [][3]string{
			{"POST", "/api/v1/items", "text/plain"}, {"POST", "/api/v1/items", ""},
			{"POST", "/api/v1/items", "application/json; charset=latin1"},
			{"POST", "/api/v1/items", "application/merge-patch+json"},
			{"POST", "/api/v1/items", "multipart/form-data; boundary=x"}, {"POST", "/api/v1/items", ";;"},
			{"PATCH", item, "application/json-patch+json"},
			{"PUT", item, "application/x-www-form-urlencoded"},
			{"POST", "/api/v1/items/import", "application/xml"}, {"POST", "/api/v1/hooks", "text/json"},
		} {
			n.Call(c[0], c[1], `{"name":"b"}`, "Content-Type", c[2]).
				WantProblem(t, strings.Join(c[:], " "), http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
		}
		n.Call(http.MethodPost, "/api/v1/items", `{"name":"b"}`, "Content-Encoding", "gzip").
			WantProblem(t, "gzip", http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
		n.Call(http.MethodPost, "/api/v1/items", "").WantProblem(t, "no body", http.StatusBadRequest, "BAD_REQUEST")
		n.Call(http.MethodDelete, item, `{}`, "Content-Type", "application/json").
			WantProblem(t, "a body too many", http.StatusBadRequest, "BAD_REQUEST")
		for _, accept := range []string{
			"text/csv", "image/*", "application/json;q=0", "application/xml, text/csv;q=0.5",
		} {
			n.Call(http.MethodGet, item, "", "Accept", accept).
				WantProblem(t, "Accept "+accept, http.StatusNotAcceptable, "NOT_ACCEPTABLE")
		}
		for _, c := range [][3]string{
			{"DELETE", "/api/v1/items", "GET, HEAD, POST, OPTIONS"},
			{"POST", item, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"},
			{"GET", item + "/trigger-hook", "POST, OPTIONS"}, {"PUT", "/api/v1/me", "GET, HEAD, OPTIONS"},
			{"BREW", "/api/v1/items", "GET, HEAD, POST, OPTIONS"}, {"TRACE", "/api/v1/tags", "GET, HEAD, OPTIONS"},
			{"GET", "/api/v1/items/import", "POST, OPTIONS"}, {"DELETE", "/api/v1/items/export", "GET, HEAD, OPTIONS"},
			{"PUT", "/api/v1/uploads", "GET, HEAD, POST, OPTIONS"},
		} {
			got := n.Call(c[0], c[1], "")
			if got.WantProblem(t, strings.Join(c[:], " "), http.StatusMethodNotAllowed,
				"METHOD_NOT_ALLOWED"); got.Header.Get("Allow") != c[2] {
				t.Errorf("%s %s: Allow is %q, want %q", c[0], c[1], got.Header.Get("Allow"), c[2])
			}
		}
		for _, path := range []string{
			"/api/v1/nothing", "/api/v1/nothing/", "/api/v1/items/", "/nothing", "/api/", item + "/nothing",
		} {
			n.Call(http.MethodGet, path, "").WantProblem(t, path, http.StatusNotFound, "NOT_FOUND")
		}
	})
}

func TestRequest_AnIDThatIsNoUUIDIsNamed(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for path, want := range map[string]string{
		"/api/v1/items/42": "There is nothing at this address: its id must be a UUID, such as " +
			"01a21c5d-bfd8-79b1-839f-ebc0c74ef7f3.",
		"/api/v1/items/" + uuid.NewString(): "There is no item with this id that you may see.",
	} {
		got := n.Call(http.MethodGet, path, "").WantProblem(t, path, http.StatusNotFound, "NOT_FOUND").Detail(t)
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestRequest_ANearlyCorrectPathGetsTheCorrectOne(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	item := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`)
	n.WantNoWrites(func() {
		for path, right := range map[string]string{
			"/api/v1/items/": "/api/v1/items", item + "/": item, "/api/v1/me/": "/api/v1/me", "/graphql/": "/graphql",
			"/api/v1//items": "/api/v1/items", "/api//v1/items/": "/api/v1/items/", "/api/v1/./items": "/api/v1/items",
			"/api/v1/x/../items": "/api/v1/items", "//api/v1/items": "/api/v1/items",
		} {
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				got := n.Call(method, path, "").WantProblem(t, method+" "+path, http.StatusNotFound, "NOT_FOUND")
				if want := "There is nothing at this address; use " + right + "."; got.Detail(t) != want {
					t.Errorf("%s %s: got %q, want %q", method, path, got.Detail(t), want)
				}
			}
		}
	})
}

func TestRequest_TheRootNamesEveryCollection(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, path := range []string{"/api/v1", "/api/v1/"} {
		var named map[string]string
		got := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
		if err := json.Unmarshal(got.Body, &named); err != nil || got.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %v %s", path, err, got.Body)
		}
		for at := range n.Contract.Spec().Paths.Map() {
			name := strings.TrimPrefix(at, "/")
			if name == "" || strings.Contains(name, "/") {
				continue
			}
			url := named[strings.ReplaceAll(name, "-", "_")]
			if url != n.URL+"/api/v1/"+name {
				t.Errorf("%s does not name %s: %s", path, name, got.Body)
				continue
			}
			n.Call(http.MethodGet, strings.TrimPrefix(url, n.URL), "").WantStatus(t, http.StatusOK)
		}
		n.Call(http.MethodPost, path, `{}`).
			WantProblem(t, "POST "+path, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
		n.Call(http.MethodGet, path, "", "Authorization", "").
			WantProblem(t, path, http.StatusUnauthorized, "UNAUTHENTICATED")
	}
	for _, path := range []string{"/api/v1/openapi.json", "/api/v1/openapi.yaml"} {
		got := n.Call(http.MethodPost, path, `{}`).
			WantProblem(t, path, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
		if got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow is %q", path, got.Header.Get("Allow"))
		}
	}
}

func TestRequest_InvalidCredentialsAreUnauthenticated(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	for _, authorization := range []string{
		"", "Basic", "Basic !", "Bearer x", "Basic ", "Basic bm9ib2R5", nodetest.BasicAuth(nodetest.AdminEmail, ""),
		nodetest.BasicAuth(nodetest.AdminEmail, "wrong"),
		nodetest.BasicAuth("nobody@example.com", nodetest.AdminPassword),
		nodetest.BasicAuth("a\x00b", "c"), nodetest.BasicAuth("\xff\xfe", "c"),
		nodetest.BasicAuth(nodetest.AdminEmail+"\x00", nodetest.AdminPassword),
		nodetest.BasicAuth(strings.Repeat("x", 5000), "x"), nodetest.BasicAuth("x", strings.Repeat("x", 5000)),
		nodetest.BasicAuth(nodetest.AdminEmail, "a\x00b"),
	} {
		got := n.Call(http.MethodGet, "/api/v1/items", "", "Authorization", authorization).
			WantProblem(t, authorization, http.StatusUnauthorized, "UNAUTHENTICATED")
		if got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%.40s: no WWW-Authenticate", authorization)
		}
	}
}

// net/http refuses malformed requests by itself.
func TestRequest_MalformedHTTPIsRefused(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	sent := func(request string) int {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Write([]byte(request)) // the server may close the connection before the end
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	n.WantNoWrites(func() {
		for name, request := range map[string]string{
			"a bad escape in the path": "GET /api/v1/items/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
			"a NUL in a header":        "POST /api/v1/items HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\x00b\r\n\r\n",
			"a huge header": "GET /api/v1/items HTTP/1.1\r\nHost: x\r\n" +
				"X-Big: " + strings.Repeat("x", 2<<20) + "\r\n\r\n",
			"two lengths": "POST /api/v1/items HTTP/1.1\r\nHost: x\r\n" +
				"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
			"no host": "GET /api/v1/items HTTP/1.1\r\n\r\n",
		} {
			if status := sent(request); status < 400 || status >= 500 {
				t.Errorf("%s: got %d", name, status)
			}
		}
	})
	n.Call(http.MethodGet, "/api/v1/items", "").WantStatus(t, http.StatusOK)
}

// Many clients send every body as application/json.
func TestRequest_APatchIsTakenAsJSON(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path := "/api/v1/items/" + n.CreateItem(`{"name":"a","metadata":{},"producer":"p"}`)
	const types = "application/merge-patch+json, application/json"
	for _, mediaType := range strings.Split(types, ", ") {
		got := n.Call(http.MethodPatch, path, `{"producer":null,"name":"`+mediaType+`"}`, "Content-Type", mediaType).
			WantStatus(t, http.StatusOK)
		if got.Field(t, "producer") != "null" || got.Field(t, "name") != mediaType {
			t.Errorf("%s: got %s", mediaType, got.Body)
		}
	}
	refused := n.Call(http.MethodPatch, path, `{"name":"c"}`, "Content-Type", "text/plain").
		WantProblem(t, "a patch as text", http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
	if got := refused.Header.Get("Accept-Patch"); got != types {
		t.Errorf("Accept-Patch is %q", got)
	}
	for at, want := range map[string]string{path: types, "/api/v1/items": ""} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, n.URL+at, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", n.Authorization)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Accept-Patch"); got != want || response.StatusCode != http.StatusOK {
			t.Errorf("OPTIONS %s: %d, Accept-Patch is %q, want %q", at, response.StatusCode, got, want)
		}
	}
}
