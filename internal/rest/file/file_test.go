package file_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
)

const text = "0123456789"

func TestFile_AnswersRangesAndConditions(t *testing.T) {
	t.Parallel()
	answersRangesAndConditions(t, nodetest.Start(t))
}

func answersRangesAndConditions(t *testing.T, n *nodetest.Node) {
	t.Helper()
	f := store(n, "public", "clip.mp4", "video/mp4", text)
	whole := get(n, f.path).WantStatus(t, http.StatusOK)
	tag, modified := whole.Header.Get("ETag"), whole.Header.Get("Last-Modified")
	if string(whole.Body) != text || len(tag) != 66 || modified == "" || whole.Header.Get("Accept-Ranges") != "bytes" ||
		whole.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("got %s with %v", whole.Body, whole.Header)
	}
	for name, c := range map[string]struct {
		header []string
		status int
		body   string
	}{
		"a range":              {[]string{"Range", "bytes=2-4"}, 206, "234"},
		"from a place":         {[]string{"Range", "bytes=7-"}, 206, "789"},
		"the end":              {[]string{"Range", "bytes=-2"}, 206, "89"},
		"beyond the end":       {[]string{"Range", "bytes=10-"}, 416, ""},
		"no range":             {[]string{"Range", "bytes=5-2"}, 416, ""},
		"the same":             {[]string{"If-None-Match", tag}, 304, ""},
		"weakly the same":      {[]string{"If-None-Match", "W/" + tag}, 304, ""},
		"not modified since":   {[]string{"If-Modified-Since", modified}, 304, ""},
		"another":              {[]string{"If-None-Match", `"other"`}, 200, text},
		"a range of the same":  {[]string{"Range", "bytes=2-4", "If-Range", tag}, 206, "234"},
		"a range of another":   {[]string{"Range", "bytes=2-4", "If-Range", `"other"`}, 200, text},
		"a range, weakly":      {[]string{"Range", "bytes=2-4", "If-Range", "W/" + tag}, 200, text},
		"only if it is it":     {[]string{"If-Match", `"other"`}, 412, ""},
		"only if it is it, ok": {[]string{"If-Match", tag}, 200, text},
	} {
		got := get(n, f.path, c.header...)
		if got.Status != c.status || c.body != "" && string(got.Body) != c.body {
			t.Errorf("%s: got %d %s, want %d %s", name, got.Status, got.Body, c.status, c.body)
		}
		if code := map[int]string{416: "RANGE_NOT_SATISFIABLE", 412: "REVISION_MISMATCH"}[c.status]; code != "" {
			got.WantProblem(t, name, c.status, code)
			if of := got.Header.Get("Content-Range"); (of == "bytes */10") != (c.status == 416) {
				t.Errorf("%s: Content-Range is %q", name, of)
			}
			if kept := got.Header.Get("Cache-Control"); kept != "no-store" || got.Header.Get("Content-Disposition") != "" ||
				got.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %v", name, got.Header)
			}
		}
	}
	several := get(n, f.path, "Range", "bytes=0-1,4-5").WantStatus(t, http.StatusPartialContent)
	if body := string(several.Body); !strings.Contains(body, "\r\n01\r\n") || !strings.Contains(body, "\r\n45\r\n") {
		t.Errorf("two ranges: %s", body)
	}
	head := n.WithAuthorization("").Call(http.MethodHead, f.path, "").WantStatus(t, http.StatusOK)
	if head.Header.Get("Content-Length") != "10" || head.Header.Get("ETag") != tag {
		t.Errorf("HEAD has %v", head.Header)
	}
	n.Call(http.MethodPut, f.path, "x").WantProblem(t, "PUT", http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
}

func TestFile_IsFoundByItsAddressOnly(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	f := store(n, "public", "Größe 100 % #1?.mp4", "video/mp4", text)
	add(n, f.item, f.asset, "720/seg_1.m4s", "video/iso.segment", "a segment")
	if got := get(n, f.path).WantStatus(t, http.StatusOK); string(got.Body) != text {
		t.Errorf("got %s", got.Body)
	}
	folder := "/media/" + f.asset.String()
	if got := get(n, folder+"/720/seg_1.m4s").WantStatus(t, http.StatusOK); string(got.Body) != "a segment" {
		t.Errorf("got %s", got.Body)
	}
	for _, path := range []string{folder, folder + "/", folder + "/720", folder + "/other.mp4", "/media/", "/media/x/y",
		"/media/" + uuid.NewString() + "/720/seg_1.m4s", "/media/s/x", folder + "/720%2Fseg_1.m4s/x", folder + "/a%00", folder + "/%FF",
		folder + "/%ED%A0%80", folder + "/" + strings.Repeat("x", 600)} {
		wantNotFound(t, path, get(n, path))
	}
	n.Call(http.MethodDelete, "/api/v1/items/"+f.item, "").WantStatus(t, http.StatusNoContent)
	wantNotFound(t, "of a deleted item", get(n, f.path))
	var kept int
	err := n.Pool.QueryRow(t.Context(), "SELECT count(*) FROM media_file WHERE state <> 'dropped'").Scan(&kept)
	if err != nil || kept != 0 {
		t.Errorf("the grace of %d files has not begun, %v", kept, err)
	}
}

func TestFile_APrivateOneIsForThoseWhoSeeItsItem(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	owner, role := n.CreateEditor("owner")
	editor, _ := n.CreateEditor("other")
	bare := n.CreateUser("bare@example.com", n.CreateRole("Bare", account.APIAccess))
	outsider := n.CreateUser("outsider@example.com", n.CreateRole("Outsider", account.ItemsView))
	f := store(n, "private", "clip.mp4", "video/mp4", text)
	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword)
	all := n.InsertToken(nodetest.Token{Permissions: account.Permissions{account.ItemsView}})
	narrow := n.InsertToken(nodetest.Token{Permissions: account.Permissions{account.ItemsView},
		Filter: nodetest.Vars{"tags": []string{"none"}}})
	for name, got := range map[string]nodetest.Response{
		"user": editor.Call(http.MethodGet, f.path, ""), "token": all.Call(http.MethodGet, f.path, ""),
		"token in the URL": get(n, f.path+"?access_token="+all.Secret),
		"session":          get(n, f.path, "Cookie", n.Cookies(browser)),
	} {
		if got.Status != http.StatusOK || string(got.Body) != text {
			t.Errorf("%s: got %d %s", name, got.Status, got.Body)
		}
		if kept := got.Header.Get("Cache-Control"); kept != "private, no-cache" && kept != "no-store" {
			t.Errorf("%s: Cache-Control is %s", name, kept)
		}
		if got.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: every page may read it", name)
		}
	}
	for name, got := range map[string]nodetest.Response{
		"nobody": get(n, f.path), "bare": bare.Call(http.MethodGet, f.path, ""),
		"no api.access":        outsider.Call(http.MethodGet, f.path, ""),
		"another account":      n.CreateStranger().Call(http.MethodGet, f.path, ""),
		"a token for others":   narrow.Call(http.MethodGet, f.path, ""),
		"an ended session":     get(n, f.path, "Cookie", "itemcast_session=NOTHING"),
		"a head without right": n.WithAuthorization("").Call(http.MethodGet, f.path, "", "Range", "bytes=0-0"),
	} {
		wantNotFound(t, name, got)
		if got.Header.Get("ETag") != "" || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", name, got.Header)
		}
	}
	for name, path := range map[string]string{"a private file": f.path, "no file": f.path + "x",
		"no asset": "/media/" + uuid.NewString() + "/x", "no item": "/watch/" + uuid.NewString(), "a private item": "/watch/" + f.item} {
		n.As(nodetest.AdminEmail, "wrong").Call(http.MethodGet, path, "").
			WantProblem(t, "a wrong password for "+name, http.StatusUnauthorized, "UNAUTHENTICATED")
	}

	profile := n.CreateProfile("Limited", role)
	if _, err := n.Pool.Exec(t.Context(), "UPDATE item SET workflow_profile_id = $1, workflow_status = 'pending' WHERE id = $2",
		profile, f.item); err != nil {
		t.Fatal(err)
	}
	wantNotFound(t, "another profile's editor", editor.Call(http.MethodGet, f.path, ""))
	owner.Call(http.MethodGet, f.path, "").WantStatus(t, http.StatusOK)
}

func TestFile_PrivacyDecidesWhoMayKeepAndReadIt(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	f := store(n, "unlisted", "clip.mp4", "video/mp4", text)
	got := get(n, f.path, "Origin", "https://player.example").WantStatus(t, http.StatusOK)
	for name, want := range map[string]string{"Cache-Control": "public, max-age=31536000, immutable",
		"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Vary": ""} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if got.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("pages of other origins may send cookies")
	}
	preflight := n.WithAuthorization("").Call(http.MethodOptions, f.path, "", "Origin", "https://player.example",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "range").WantStatus(t, http.StatusNoContent)
	if !strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "Range") ||
		preflight.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("the preflight has %v", preflight.Header)
	}
	n.Call(http.MethodPatch, "/api/v1/items/"+f.item, `{"privacy":"private"}`).WantStatus(t, http.StatusOK)
	wantNotFound(t, "private now", get(n, f.path))
	page := n.InsertToken(nodetest.Token{Permissions: account.Permissions{account.ItemsView},
		Origins: []string{"https://app.example"}})
	own := page.Call(http.MethodGet, f.path, "", "Origin", "https://app.example").WantStatus(t, http.StatusOK)
	if own.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || own.Header.Get("Vary") != "Origin" {
		t.Errorf("a page with its token: %v", own.Header)
	}
	page.Call(http.MethodGet, f.path, "", "Origin", "https://other.example").
		WantProblem(t, "another page with the token", http.StatusForbidden, "ORIGIN_NOT_ALLOWED")
}

func TestFile_ABrowserRunsNothingOfIt(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	f := store(n, "public", "page.html", "text/html", "<script>alert(1)</script>")
	for name, c := range map[string]struct {
		contentType string
		downloaded  bool
	}{
		"page.html": {"text/html", true}, "drawing.svg": {"image/svg+xml", true}, "paper.pdf": {"application/pdf", true},
		"data": {"application/octet-stream", true}, "feed.xml": {"application/xml", true},
		"clip.mp4": {"video/mp4", false}, "sound.m4a": {"audio/mp4", false}, "picture.jpg": {"image/jpeg", false},
		"text.vtt": {"text/vtt; charset=utf-8", false}, "master.m3u8": {"application/vnd.apple.mpegurl", false},
	} {
		if name != "page.html" {
			add(n, f.item, f.asset, name, c.contentType, "x")
		}
		got := get(n, n.Media.Path(f.asset, name)).WantStatus(t, http.StatusOK)
		disposition, policy := got.Header.Get("Content-Disposition"), got.Header.Get("Content-Security-Policy")
		if strings.HasPrefix(disposition, "attachment") != c.downloaded || strings.Contains(policy, "sandbox") != c.downloaded {
			t.Errorf("%s: %s, %s", name, disposition, policy)
		}
		if !strings.HasSuffix(disposition, "filename="+name) || got.Header.Get("Content-Type") != c.contentType ||
			got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, got.Header)
		}
	}
	named := store(n, "public", "Größe.mp4", "video/mp4", text)
	if got := get(n, named.path).Header.Get("Content-Disposition"); got != "inline; filename*=utf-8''Gr%C3%B6%C3%9Fe.mp4" {
		t.Errorf("its name is %s", got)
	}
}
