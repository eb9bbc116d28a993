package tus_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/node/nodetest"
	"itemcast/internal/rest/tus"
)

func TestTus_UsersMakeItemsAndAddAssets(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	editor := n.CreateUser("editor@example.com", n.CreateRole("edits", account.APIAccess, account.ItemsView, account.ItemsCreate,
		account.ItemsEdit))
	viewer := n.CreateUser("viewer@example.com", n.CreateRole("views", account.APIAccess, account.ItemsView))
	content := clip(100_000)
	post := func(as *nodetest.Client, size string, pairs ...string) nodetest.Response {
		t.Helper()
		return call(t, http.MethodPost, n.URL+tus.Path, nil, "Authorization", as.Authorization, "Upload-Length", size,
			"Upload-Metadata", metadata(pairs...))
	}
	made := patch(t, post(editor, "100000", "filename", "a.mp4").WantStatus(t, 201).Header.Get("Location"), 0, content).
		WantStatus(t, 204)
	item := wantItem(t, n, made, content)
	id := item.Field(t, "id")
	if item.Field(t, "name") != "a.mp4" {
		t.Errorf("made %s", item.Body)
	}

	const subRip = "1\r\n00:00:01,000 --> 00:00:02,000\r\na<b\r\n"
	added := post(editor, strconv.Itoa(len(subRip)), "filename", "a.srt", "item_id", id, "kind", "subtitle", "language", "de").WantStatus(t, 201)
	got := patch(t, added.Header.Get("Location"), 0, []byte(subRip)).WantStatus(t, 204)
	if got.Header.Get(tus.ItemHeader) != id {
		t.Errorf("added to %q", got.Header.Get(tus.ItemHeader))
	}
	var document struct {
		Assets []struct {
			Kind, Language string
			URL            string
		}
	}
	body := n.Call(http.MethodGet, "/api/v1/items/"+id, "").WantStatus(t, 200).Body
	if err := json.Unmarshal(body, &document); err != nil || len(document.Assets) != 2 || document.Assets[1].Language != "de" {
		t.Fatalf("the item is %s", body)
	}
	vtt := n.Call(http.MethodGet, strings.TrimPrefix(document.Assets[1].URL, n.URL), "").WantStatus(t, 200)
	if !strings.HasPrefix(string(vtt.Body), "WEBVTT") {
		t.Errorf("the subtitles are %s", vtt.Body)
	}

	described := post(editor, "100000", "filename", "b.mp4", "item", `{"tags":["silent"],"language":"de"}`).
		WantStatus(t, 201)
	second := wantItem(t, n, patch(t, described.Header.Get("Location"), 0, content).WantStatus(t, 204), content)
	if second.Field(t, "name") != "b.mp4" || second.Field(t, "language") != "de" || second.Field(t, "tags") != `["silent"]` {
		t.Errorf("made %s", second.Body)
	}

	for what, c := range map[string]struct {
		as     *nodetest.Client
		pairs  []string
		status int
		code   string
	}{
		"no object":         {editor, []string{"item", "7"}, 400, "INVALID_INPUT"},
		"an unknown field":  {editor, []string{"item", `{"colour":1}`}, 400, "INVALID_INPUT"},
		"an item and an id": {editor, []string{"item", `{}`, "item_id", id}, 400, "INVALID_INPUT"},
		"no publisher":      {editor, []string{"item", `{"privacy":"public"}`}, 403, "FORBIDDEN"},
		"no such profile":   {editor, []string{"item", `{"workflow_profile_id":"` + id + `"}`}, 422, "RULE_VIOLATED"},
		"a viewer":          {viewer, []string{"filename", "a.mp4"}, 403, "FORBIDDEN"},
		"a viewer's asset":  {viewer, []string{"item_id", id}, 403, "FORBIDDEN"},
		"an unknown item":   {editor, []string{"item_id", uuid.NewString()}, 404, "NOT_FOUND"},
		"no id":             {editor, []string{"item_id", "one"}, 400, "INVALID_INPUT"},
		"an unknown kind":   {editor, []string{"item_id", id, "kind", "hologram"}, 400, "INVALID_INPUT"},
		"another account's": {n.CreateStranger(), []string{"item_id", id}, 404, "NOT_FOUND"},
	} {
		post(c.as, "1000", c.pairs...).WantProblem(t, what, c.status, c.code)
	}

	// Permissions are those of the end.
	url := post(editor, "100000", "filename", "b.mp4").WantStatus(t, 201).Header.Get("Location")
	patch(t, url, 0, content[:50_000]).WantStatus(t, 204)
	if _, err := n.Pool.Exec(t.Context(), "UPDATE role SET permissions = '{api.access,items.view}' WHERE name = 'edits'"); err != nil {
		t.Fatal(err)
	}
	patch(t, url, 50_000, content[50_000:]).WantProblem(t, "without the permission", 403, "FORBIDDEN")
	call(t, http.MethodHead, url, nil).WantStatus(t, http.StatusGone)
	if items := nodetest.CountItems(t, n.Pool); items != 2 {
		t.Errorf("%d items", items)
	}
}

// The URL of an upload is the key to it: credentials have no effect there, and a session's cookie needs our own pages.
func TestTus_PagesOfOtherOriginsNeedATicket(t *testing.T) {
	t.Parallel()
	const page = "https://page.example"
	n := nodetest.Start(t)
	in := newInbox(t, n, map[string]any{"origins": []string{page}})
	preflight := call(t, http.MethodOptions, n.URL+tus.Path, nil, "Origin", "https://any.example", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "itemcast-upload-info,itemcast-upload-signature,tus-resumable,upload-length,upload-metadata")
	if preflight.Header.Get("Access-Control-Allow-Origin") != "*" || preflight.Header.Get("Access-Control-Allow-Credentials") != "" ||
		!strings.Contains(preflight.Header.Get("Access-Control-Allow-Headers"), "upload-length") {
		t.Errorf("a preflight: %d %v", preflight.Status, preflight.Header)
	}
	headers := append(in.sign(t, in.claims()), "Upload-Length", "10")
	refused := call(t, http.MethodPost, n.URL+tus.Path, nil, append(headers, "Origin", "https://other.example")...)
	refused.WantProblem(t, "another origin", http.StatusForbidden, "ORIGIN_NOT_ALLOWED")
	if refused.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin: %v", refused.Header)
	}
	made := call(t, http.MethodPost, n.URL+tus.Path, nil, append(headers, "Origin", page)...).WantStatus(t, http.StatusCreated)
	url := made.Header.Get("Location")
	for _, got := range []nodetest.Response{made, call(t, http.MethodHead, url, nil, "Origin", page),
		patch(t, url, 5, []byte("a"), "Origin", page), call(t, http.MethodHead, url+"X", nil, "Origin", page)} {
		if got.Header.Get("Access-Control-Allow-Origin") != page || !strings.Contains(got.Header.Get("Access-Control-Expose-Headers"), "Upload-Offset") ||
			got.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%d: %v", got.Status, got.Header)
		}
	}
	if got := call(t, http.MethodHead, url, nil, "Origin", "https://other.example"); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin reads %v", got.Header)
	}
	preflight = call(t, http.MethodOptions, url, nil, "Origin", page, "Access-Control-Request-Method", "PATCH",
		"Access-Control-Request-Headers", "content-type,tus-resumable,upload-checksum,upload-offset")
	if preflight.Header.Get("Access-Control-Allow-Methods") != "PATCH" {
		t.Errorf("a preflight: %d %v", preflight.Status, preflight.Header)
	}
	// Credentials at an upload's URL are ignored, even wrong ones.
	call(t, http.MethodHead, url, nil, "Authorization", "Basic bm9ib2R5Om5vYm9keQ==").WantStatus(t, http.StatusOK)

	browser := n.Browser()
	n.Login(browser, nodetest.AdminEmail, nodetest.AdminPassword).WantStatus(t, http.StatusSeeOther)
	session := n.Cookies(browser)
	call(t, http.MethodPost, n.URL+tus.Path, nil, "Cookie", session, "Upload-Length", "10").WantStatus(t, http.StatusCreated)
	call(t, http.MethodPost, n.URL+tus.Path, nil, "Cookie", session, "Upload-Length", "10", "Origin", page,
		"Sec-Fetch-Site", "cross-site").WantProblem(t, "a session on another site", http.StatusForbidden, "FORBIDDEN")
}
