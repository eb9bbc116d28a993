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
)

func TestGuard_ReportsTheFaultsOfBodies(t *testing.T) {
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
				"#/parts/0/url must be an absolute URL, in which a space is %20 and % is %25\n" +
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
		"case":       {`{"name":"a","Name":"b"}`, "#/Name unknown field; did you mean name?\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, "POST", "/api/t/things", c.body, "Content-Type: application/json")
			if got.faults() != c.want || c.want != "" && got.Code != "INVALID_INPUT" {
				t.Errorf("got %s\n%s\nwant\n%s", got.Body, got.faults(), c.want)
			}
			if c.want == "" && got.Body.String() != c.body {
				t.Errorf("the handler received %q", got.Body)
			}
		})
	}
	many := `{"name":"a","tags":[` + strings.Repeat("1,", 300) + "1]}"
	if got := ask(t, server, "POST", "/api/t/things", many, "Content-Type: application/json"); len(got.Errors) != 100 {
		t.Errorf("reports %d faults", len(got.Errors))
	}
}

// Its service checks a body that is marked x-checked-with-rules, unless the request does not get there.
func TestGuard_LeavesBodiesWithRulesToTheirService(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for name, c := range map[string]struct{ body, key, code, faults string }{
		"good":            {`{"name":"a"}`, "k", "", ""},
		"against":         {`{"nmae":"a","tags":[""]}`, "k", "", ""},
		"a NUL":           {`{"name":"\u0000"}`, "k", "", ""},
		"no JSON":         {`{"name":`, "k", "INVALID_JSON", "#/name is not valid JSON: unexpected end at byte 8\n"},
		"more after it":   {`{"name":"a"} {}`, "k", "INVALID_JSON", "# is not valid JSON: text after the value at byte 12\n"},
		"with a bad key":  {`{"nmae":"a"}`, "12345678901", "INVALID_INPUT", "Idempotency-Key must have at most 10 characters\n#/name is required\n#/nmae unknown field; did you mean name?\n"},
		"only a bad key":  {`{"name":"a"}`, "12345678901", "INVALID_INPUT", "Idempotency-Key must have at most 10 characters\n"},
		"too large a one": {`{"name":"` + strings.Repeat("a", 200_000) + `"}`, "k", "TOO_LARGE", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, server, "POST", "/api/t/things/checked", c.body,
				"Content-Type: application/json", "Idempotency-Key: "+c.key)
			if string(got.Code) != c.code || got.faults() != c.faults {
				t.Errorf("got %s\n%s", got.Body, got.faults())
			}
			if c.code == "" && got.Body.String() != c.body {
				t.Errorf("the handler received %q", got.Body)
			}
		})
	}
}

func TestGuard_ChecksChunkedBodies(t *testing.T) {
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

const postOf50Bytes = "POST /api/t/things HTTP/1.1\r\nHost: x\r\n" +
	"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n"

func TestGuard_RefusesABodyThatIsCutOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(setup(t))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, postOf50Bytes, `{"name":`)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	// Which one depends on what the server notices first: the end of the body, or that of the connection.
	if response.StatusCode != http.StatusBadRequest && response.StatusCode != 499 {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestGuard_RefusesABodyThatIsLate(t *testing.T) {
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
	fmt.Fprint(conn, postOf50Bytes)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}
