package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

// fileForm returns a form with fields, name and value in turn, and then a file.
func fileForm(t *testing.T, fileName, content string, fields ...string) (body, contentType string) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if fileName != "" {
		part, err := w.CreateFormFile("file", fileName)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(content))
	}
	w.Close()
	return form.String(), w.FormDataContentType()
}

const (
	clipBytes = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom rest of a clip"
	picture   = "\xff\xd8\xff\xe0\x00\x10JFIF\x00 rest of a picture"
	subRip    = "1\r\n00:00:01,000 --> 00:00:02,000\r\na<b\r\n"
)

type heldDocument struct {
	Type       string
	Revision   int
	SnapshotID *string `json:"snapshot_id"`
	Assets     []struct {
		ID, Kind, URL string
		ContentType   string `json:"content_type"`
		Language      *string
		Size          *int64
	}
	Snapshots []struct{ ID, URL string }
}

func heldIn(t *testing.T, got nodetest.Response) (d heldDocument) {
	t.Helper()
	if err := json.Unmarshal(got.Body, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAttach_TextDoesNotReplaceAFilm(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	path := "/api/v1/items/" + n.CreateItem(`{"name":"a"}`) + "/assets"
	add := func(name, content string) nodetest.Response {
		body, contentType := fileForm(t, name, content)
		return n.Call(http.MethodPost, path, body, "Content-Type", contentType)
	}
	film := heldIn(t, add("film.mp4", clipBytes).WantStatus(t, http.StatusCreated)).Assets[0]
	for name, content := range map[string]string{
		"a.srt": subRip, "a.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\na\n", "a.txt": "Only text", "a.json": `{"a":1}`,
	} {
		got := add(name, content).WantStatus(t, http.StatusUnprocessableEntity)
		if detail := got.Field(t, "detail"); !strings.Contains(detail, "kind=subtitle") {
			t.Errorf("%s: %s", name, detail)
		}
	}
	after := heldIn(t, n.Call(http.MethodGet, strings.TrimSuffix(path, "/assets"), "").WantStatus(t, http.StatusOK))
	if after.Type != "video" || len(after.Assets) != 1 || after.Assets[0].ID != film.ID {
		t.Errorf("the item is %+v", after)
	}
	n.Call(http.MethodDelete, path+"/"+film.ID, "").WantStatus(t, http.StatusNoContent)
	add("a.txt", "Only text").WantStatus(t, http.StatusCreated)
}

func TestAttach_FilesAreAddedReplacedAndFetched(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	hookURL, deliveries := nodetest.StartReceiver(t)
	n.CreateHook(`{"url":"` + hookURL + `","events":["item.updated"]}`)
	id := n.CreateItem(`{"name":"a","privacy":"public"}`)
	path := "/api/v1/items/" + id
	add := func(to, name, content string, fields ...string) heldDocument {
		t.Helper()
		body, contentType := fileForm(t, name, content, fields...)
		got := n.Call(http.MethodPost, path+to, body, "Content-Type", contentType).WantStatus(t, http.StatusCreated)
		now := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
		if sent := nodetest.Next(t, deliveries); !bytes.Equal(got.Body, now.Body) || !bytes.Equal(sent.Body, now.Body) ||
			got.Header.Get("ETag") != now.Header.Get("ETag") {
			t.Errorf("the answer is\n%s, GET\n%s, the hook's body\n%s", got.Body, now.Body, sent.Body)
		}
		return heldIn(t, got)
	}
	fetch := func(url string) nodetest.Response {
		t.Helper()
		return n.WithAuthorization("").Call(http.MethodGet, strings.TrimPrefix(url, n.URL), "")
	}
	first := add("/assets", "my clip.mp4", clipBytes)
	if a := first.Assets[0]; len(first.Assets) != 1 || a.Kind != "source" || a.ContentType != "video/mp4" || *a.Size != int64(len(clipBytes)) ||
		!strings.HasSuffix(a.URL, "/my%20clip.mp4") || first.Type != "video" {
		t.Errorf("the first: %+v", first)
	}
	if got := fetch(first.Assets[0].URL).WantStatus(t, http.StatusOK); string(got.Body) != clipBytes || got.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("fetched %q as %s", got.Body, got.Header.Get("Content-Type"))
	}
	second := add("/assets", "better.jpg", picture, "kind", "source")
	if len(second.Assets) != 1 || second.Assets[0].ContentType != "image/jpeg" || second.Type != "image" || second.Revision != first.Revision+1 {
		t.Errorf("replaced: %+v", second)
	}
	fetch(first.Assets[0].URL).WantStatus(t, http.StatusNotFound)

	german := add("/assets", "a.srt", subRip, "kind", "subtitle", "language", "de").Assets[1]
	if got := fetch(german.URL).WantStatus(t, http.StatusOK); !strings.HasPrefix(string(got.Body), "WEBVTT") ||
		!strings.Contains(string(got.Body), "a&lt;b") || german.ContentType != "text/vtt" || *german.Language != "de" || !strings.HasSuffix(german.URL, "/a.vtt") {
		t.Errorf("subtitles: %+v, %s", german, got.Body)
	}
	const vtt = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\n00:01.000 --> 00:02.000\nHallo\n"
	add("/assets", "b.vtt", vtt, "kind", "subtitle", "language", "en")
	all := add("/assets", "c.vtt", vtt, "kind", "subtitle", "language", "de")
	if len(all.Assets) != 3 || *all.Assets[1].Language != "en" || *all.Assets[2].Language != "de" {
		t.Errorf("subtitles of two languages: %+v", all)
	}
	if got := fetch(all.Assets[2].URL).WantStatus(t, http.StatusOK); string(got.Body) != vtt {
		t.Errorf("WebVTT became %q", got.Body)
	}
	if d := add("/snapshots", "1.jpg", picture); len(d.Snapshots) != 1 || d.SnapshotID != nil {
		t.Errorf("a snapshot: %+v", d)
	}
	if d := add("/snapshots", "2.jpg", picture, "poster", "true"); len(d.Snapshots) != 2 || d.SnapshotID == nil || *d.SnapshotID != d.Snapshots[1].ID {
		t.Errorf("a poster: %+v", d)
	}
	sameAsREST(n, id)
	n.Call(http.MethodDelete, path+"/assets/"+all.Assets[2].ID, "").WantStatus(t, http.StatusNoContent)
	fetch(all.Assets[2].URL).WantStatus(t, http.StatusNotFound)
}

func TestAttach_BadFormsLeaveNothing(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"a"}`)
	path := "/api/v1/items/" + id
	whole, contentType := fileForm(t, "a.mp4", clipBytes)
	form := func(fileName, content string, fields ...string) [2]string {
		body, contentType := fileForm(t, fileName, content, fields...)
		return [2]string{body, contentType}
	}
	cut := func(from string) [2]string {
		beginning, _, _ := strings.Cut(whole, from)
		return [2]string{beginning, contentType}
	}
	boundary, _, _ := strings.Cut(whole[2:], "\r\n")
	second := strings.Replace(whole, "--"+boundary+"--", whole, 1)
	for what, c := range map[string]struct {
		to     string
		form   [2]string
		status int
		says   string
	}{
		"no file":              {"/assets", form("", "", "kind", "source"), 400, "has no file"},
		"an empty file":        {"/assets", form("a.mp4", ""), 400, "empty"},
		"cut in the file":      {"/assets", cut("rest of"), 400, "incomplete"},
		"cut before the end":   {"/assets", [2]string{strings.TrimSuffix(whole, "--"+boundary+"--\r\n"), contentType}, 400, "incomplete"},
		"cut in the last line": {"/assets", [2]string{strings.TrimSuffix(whole, "--\r\n"), contentType}, 400, "incomplete"},
		"a second file":        {"/assets", [2]string{second, contentType}, 400, "after its file"},
		"no boundary":          {"/assets", [2]string{whole, "multipart/form-data"}, 400, "boundary"},
		"a part without a name": {"/assets", [2]string{strings.Replace(whole, `name="file"; `, "", 1), contentType}, 400,
			"Part 1 of the form has no name"},
		"two names": {"/assets", [2]string{strings.Replace(whole, "Content-Type:",
			"Content-Disposition: form-data; name=\"file\"; filename=\"b.mp4\"\r\nContent-Type:", 1), contentType}, 400,
			"2 headers Content-Disposition"},
		"base64": {"/assets", [2]string{strings.Replace(whole, "Content-Type:",
			"Content-Transfer-Encoding: base64\r\nContent-Type:", 1), contentType}, 400, "Content-Transfer-Encoding"},
		"another length": {"/assets", [2]string{strings.Replace(whole, "Content-Type:",
			"Content-Length: 7\r\nContent-Type:", 1), contentType}, 400, "Content-Length says 7"},
		"another digest": {"/snapshots", [2]string{strings.Replace(whole, "Content-Type:",
			"Content-Digest: sha-256=:"+strings.Repeat("A", 43)+"=:\r\nContent-Type:", 1), contentType}, 400, "SHA-256"},
		"cut in a header behind the file": {"/assets", [2]string{strings.TrimSuffix(whole, "--\r\n") +
			"\r\nContent-Disposition: form-data; name=\"x\"\r\n", contentType}, 400, "incomplete"},
		"much behind the form":    {"/assets", [2]string{whole + strings.Repeat("x", 100<<10), contentType}, 400, "follow the end"},
		"an unknown field":        {"/assets", form("a.mp4", clipBytes, "colour", "red"), 400, "#/colour"},
		"an unknown kind":         {"/assets", form("a.mp4", clipBytes, "kind", "playlist"), 400, "#/kind"},
		"a wrong language":        {"/assets", form("a.mp4", clipBytes, "language", "German!"), 400, "#/language"},
		"a field twice":           {"/assets", form("a.mp4", clipBytes, "kind", "source", "kind", "audio"), 400, "#/kind"},
		"a clip as sound":         {"/assets", form("a.mp4", clipBytes, "kind", "audio"), 415, "video/mp4"},
		"a clip as subtitles":     {"/assets", form("a.vtt", clipBytes, "kind", "subtitle"), 415, "ubtitles"},
		"a clip as a snapshot":    {"/snapshots", form("a.jpg", clipBytes), 415, "video/mp4"},
		"a poster that is none":   {"/snapshots", form("a.jpg", picture, "poster", "perhaps"), 400, "#/poster"},
		"another body":            {"/assets", [2]string{"x", "text/plain"}, 415, "Content-Type"},
		"JSON without a URL":      {"/assets", [2]string{`{"kind":"source"}`, "application/json"}, 400, "#/url"},
		"JSON that is none":       {"/assets", [2]string{`{`, "application/json"}, 400, ""},
		"JSON with another field": {"/assets", [2]string{`{"url":"https://example.com/","size":1}`, "application/json"}, 400, "#/size"},
	} {
		got := n.Call(http.MethodPost, path+c.to, c.form[0], "Content-Type", c.form[1])
		if got.Status != c.status || !strings.Contains(string(got.Body), c.says) {
			t.Errorf("%s: got %d %s", what, got.Status, got.Body)
		}
		got.WantNoInternals(t, what)
	}
	if d := heldIn(t, n.Call(http.MethodGet, path, "")); d.Revision != 1 || len(d.Assets)+len(d.Snapshots) != 0 {
		t.Errorf("left: %+v", d)
	}
	var left int
	if err := n.Pool.QueryRow(t.Context(), "SELECT count(*) FROM media_file WHERE state <> 'dropped'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d files are left, %v", left, err)
	}
	viewer := n.CreateUser("viewer@example.com", n.CreateRole("v", account.APIAccess, account.ItemsView))
	viewer.Call(http.MethodPost, path+"/assets", whole, "Content-Type", contentType).WantProblem(t, "a viewer", 403, "FORBIDDEN")
	n.Call(http.MethodPost, "/api/v1/items/01890a5d-ac96-774b-bcce-b302099a8057/assets", "no form", "Content-Type", contentType).
		WantProblem(t, "no item", 404, "NOT_FOUND")
}

func TestAttach_FilesAreFetchedWhereHooksMayGo(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a clip.mp4":
			_, _ = w.Write([]byte(clipBytes))
		case "/named":
			w.Header().Set("Content-Disposition", `attachment; filename="other.mp4"`)
			_, _ = w.Write([]byte(clipBytes))
		case "/moved":
			http.Redirect(w, r, "/named", http.StatusFound)
		case "/inside":
			http.Redirect(w, r, "http://10.0.0.1/secret", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/short":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(clipBytes))
		case "/de":
			_, _ = w.Write([]byte(subRip))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(files.Close)
	id := n.CreateItem(`{"name":"a"}`)
	path := "/api/v1/items/" + id
	for url, c := range map[string]struct{ status, name, kind, says string }{
		files.URL + "/a%20clip.mp4": {"201", "a%20clip.mp4", "rendition", ""},
		files.URL + "/moved":        {"201", "other.mp4", "rendition", ""},
		files.URL + "/de":           {"201", "de.vtt", "subtitle", ""},
		files.URL + "/none":         {"422", "", "source", "answers 404 Not Found"},
		files.URL + "/inside":       {"422", "", "source", "10.0.0.1"},
		files.URL + "/loop":         {"422", "", "source", "more than 5 times"},
		files.URL + "/short":        {"422", "", "source", "cannot be fetched"},
		"http://169.254.169.254/":   {"422", "", "source", "169.254.169.254"},
		"http://10.0.0.1/x":         {"422", "", "source", "hooks may not reach"},
		"file:///etc/passwd":        {"400", "", "source", "must begin with http"},
		"x":                         {"400", "", "source", "#/url"},
		"http://127.0.0.1:1/":       {"422", "", "source", "#/url"},
	} {
		before := heldIn(t, n.Call(http.MethodGet, path, ""))
		got := n.Call(http.MethodPost, path+"/assets", fmt.Sprintf(`{"url":%q,"kind":%q}`, url, c.kind))
		if fmt.Sprint(got.Status) != c.status || !strings.Contains(string(got.Body), c.says) {
			t.Errorf("%s: got %d %s", url, got.Status, got.Body)
		}
		after := heldIn(t, n.Call(http.MethodGet, path, ""))
		if c.status != "201" {
			if after.Revision != before.Revision {
				t.Errorf("%s changed the item", url)
			}
			continue
		}
		if last := after.Assets[len(after.Assets)-1]; !strings.HasSuffix(last.URL, "/"+c.name) || last.Kind != c.kind {
			t.Errorf("%s: %+v", url, last)
		}
	}
	data := n.GraphQL(`mutation ($id: ID!, $u: String!) { addAssetByUrl(itemId: $id, url: $u) { item { assets { kind contentType size } } } }`,
		nodetest.Vars{"id": id, "u": files.URL + "/named"})
	if want := fmt.Sprintf(`{"kind":"SOURCE","contentType":"video/mp4","size":%d}]`, len(clipBytes)); !strings.Contains(string(data), want) {
		t.Errorf("GraphQL: %s", data)
	}
	if got, codes := n.TryGraphQL(`mutation ($id: ID!) { addAssetByUrl(itemId: $id, url: "http://10.0.0.1/") { item { id } } }`,
		nodetest.Vars{"id": id}); len(codes) != 1 || codes[0] != "RULE_VIOLATED" {
		t.Errorf("GraphQL of a forbidden address: %s", got.Body)
	}
}
