package file_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
)

func TestFile_ALinkNeedsNoCredentials(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	f, other := store(n, "private", "clip.mp4", "video/mp4", text), store(n, "private", "clip.mp4", "video/mp4", text)
	add(n, f.item, f.asset, "720/seg_1.m4s", "video/iso.segment", "a segment")
	at := "/api/v1/items/" + f.item + "/media-links"
	began := time.Now()
	made := n.Call(http.MethodPost, at, `{"expires_in":600}`).WantStatus(t, http.StatusOK)
	expires, err := time.Parse(time.RFC3339, made.Field(t, "expires_at"))
	if err != nil || expires.Before(began.Add(600*time.Second)) || expires.After(time.Now().Add(601*time.Second)) {
		t.Errorf("they expire at %s (%v)", expires, err)
	}
	urls := made.Object(t)["urls"].([]any)
	link := urls[0].(map[string]any)
	if len(urls) != 1 || link["id"] != f.asset.String() {
		t.Fatalf("the links are %s", made.Body)
	}
	path := strings.TrimPrefix(link["url"].(string), n.URL)
	got := get(n, path, "Origin", "https://player.example").WantStatus(t, http.StatusOK)
	kept := got.Header.Get("Cache-Control")
	if string(got.Body) != text || !strings.HasPrefix(kept, "private, max-age=") ||
		got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("got %s with %v", got.Body, got.Header)
	}
	// As a player resolves a relative address.
	if got := get(n, strings.Replace(path, "clip.mp4", "720/seg_1.m4s", 1)); string(got.Body) != "a segment" {
		t.Errorf("another file of the asset: %d %s", got.Status, got.Body)
	}
	signature := strings.Split(path, "/")[3]
	seconds, mac, _ := strings.Cut(signature, "-")
	for name, changed := range map[string]string{
		"for another asset": strings.Replace(path, f.asset.String(), other.asset.String(), 1),
		"later":             strings.Replace(path, seconds, seconds+"0", 1),
		"another signature": strings.Replace(path, mac, strings.Repeat("A", len(mac)), 1),
		"no signature":      strings.Replace(path, signature, seconds+"-", 1),
		"no time":           strings.Replace(path, signature, mac, 1),
		"half a signature":  strings.Replace(path, mac, mac[:len(mac)/2], 1),
		"its other form":    strings.Replace(path, mac, mac[:len(mac)-1]+string(mac[len(mac)-1]+1), 1),
	} {
		wantNotFound(t, name, get(n, changed))
	}
	// A signature gives nothing to nobody: not even with credentials for other items.
	wantNotFound(t, "a stranger's bad link", n.CreateStranger().Call(http.MethodGet,
		strings.Replace(path, mac, strings.Repeat("A", len(mac)), 1), ""))

	n.Call(http.MethodPost, at, "").WantStatus(t, http.StatusOK)
	var graphQL struct {
		CreateMediaLinks struct{ Urls []struct{ ID, URL string } }
	}
	data := n.GraphQL(`mutation ($id: ID!) { createMediaLinks(itemId: $id) { urls { id url } expiresAt } }`,
		nodetest.Vars{"id": f.item})
	if err := json.Unmarshal(data, &graphQL); err != nil || len(graphQL.CreateMediaLinks.Urls) != 1 {
		t.Fatalf("%s %v", data, err)
	}
	get(n, strings.TrimPrefix(graphQL.CreateMediaLinks.Urls[0].URL, n.URL)).WantStatus(t, http.StatusOK)
	for _, seconds := range []int64{0, 86_401, 1<<63 - 1} {
		_, codes := n.TryGraphQL(`mutation ($id: ID!, $s: Int) { createMediaLinks(itemId: $id, expiresIn: $s) { expiresAt } }`,
			nodetest.Vars{"id": f.item, "s": seconds})
		if len(codes) != 1 || codes[0] != "INVALID_INPUT" {
			t.Errorf("for %d seconds: %q", seconds, codes)
		}
	}
	for _, body := range []string{`{"expires_in":0}`, `{"expires_in":86401}`, `{"expires_in":"1h"}`, `{"other":1}`} {
		n.Call(http.MethodPost, at, body).WantProblem(t, body, http.StatusBadRequest, "INVALID_INPUT")
	}
	bare := n.CreateItem(`{"name":"without files"}`)
	if got := n.Call(http.MethodPost, "/api/v1/items/"+bare+"/media-links", "").WantStatus(t, http.StatusOK); !strings.Contains(
		string(got.Body), `"urls":[]`) {
		t.Errorf("an item without files: %s", got.Body)
	}
}

// An asset of one's own item may name the address of somebody else's file.
func TestLinks_AreForTheItemsOwnFiles(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	f := store(n, "private", "clip.mp4", "video/mp4", text)
	stranger := n.CreateStranger()
	for _, by := range []*nodetest.Client{n.Client, stranger} {
		item := by.CreateItem(fmt.Sprintf(`{"name":"x","assets":[{"id":%q,"kind":"source","url":"https://a.example/x",
			"content_type":"video/mp4"}]}`, f.asset))
		// No write accepts this URL. If one did, it would give no link.
		if _, err := n.Pool.Exec(t.Context(), `UPDATE item SET document = convert_to(replace(convert_from(document, 'UTF8'),
			'https://a.example/x', $1), 'UTF8') WHERE id = $2`, n.URL+f.path, item); err != nil {
			t.Fatal(err)
		}
		got := by.Call(http.MethodPost, "/api/v1/items/"+item+"/media-links", "").WantStatus(t, http.StatusOK)
		if !strings.Contains(string(got.Body), `"urls":[]`) {
			t.Errorf("the links are %s", got.Body)
		}
	}
}

func TestStatements_AFileTakesOne(t *testing.T) {
	t.Parallel()
	n, trace := nodetest.StartTraced(t)
	public := store(n, "public", "clip.mp4", "video/mp4", text)
	private := store(n, "private", "clip.mp4", "video/mp4", text)
	at := "/api/v1/items/" + private.item + "/media-links"
	made := n.Call(http.MethodPost, at, "").WantStatus(t, http.StatusOK)
	link := strings.TrimPrefix(made.Object(t)["urls"].([]any)[0].(map[string]any)["url"].(string), n.URL)
	for name, c := range map[string]struct {
		max int
		do  func()
	}{
		"public":  {1, func() { get(n, public.path).WantStatus(t, http.StatusOK) }},
		"by link": {1, func() { get(n, link).WantStatus(t, http.StatusOK) }},
		"by user": {2, func() { n.Call(http.MethodGet, private.path, "").WantStatus(t, http.StatusOK) }},
		"links":   {2, func() { n.Call(http.MethodPost, at, "").WantStatus(t, http.StatusOK) }},
	} {
		if named := trace.During(c.do); len(named) > c.max {
			t.Errorf("%s: %d statements, at most %d are allowed: %q", name, len(named), c.max, named)
		}
	}
}
