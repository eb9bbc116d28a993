package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"itemcast/internal/node/nodetest"
)

// playerFields are the player's fields of a document, and the revision.
type playerFields struct {
	PlayerURL *string `json:"player_url"`
	EmbedCode *string `json:"embed_code"`
	Revision  int
}

func readPlayer(t *testing.T, got nodetest.Response) (f playerFields) {
	t.Helper()
	if err := json.Unmarshal(got.WantStatus(t, http.StatusOK).Body, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func attachSource(t *testing.T, n *nodetest.Node, id string) (asset string) {
	t.Helper()
	body := "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\nsource\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\r\n" +
		"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42" + strings.Repeat("x", 100) + "\r\n--x--\r\n"
	return n.Call(http.MethodPost, "/api/v1/items/"+id+"/assets", body, "Content-Type", "multipart/form-data; boundary=x").
		WantStatus(t, http.StatusCreated).Object(t)["assets"].([]any)[0].(map[string]any)["id"].(string)
}

func TestPlayer_AnItemWithMediaNamesItsPlayerUnlessAClientHas(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"R&D \"1\" <b>"}`)
	path := "/api/v1/items/" + id
	read := func() playerFields { t.Helper(); return readPlayer(t, n.Call(http.MethodGet, path, "")) }
	if f := read(); f.PlayerURL != nil || f.EmbedCode != nil {
		t.Fatalf("without media: %+v", f)
	}
	asset := attachSource(t, n, id)
	own := read()
	code := `<iframe src="` + n.URL + `/embed/` + id + `" title="R&amp;D &#34;1&#34; &lt;b&gt;" width="640" height="360" ` +
		`style="border:0;max-width:100%;height:auto;aspect-ratio:640/360" allow="autoplay; fullscreen; picture-in-picture" ` +
		`loading="lazy"></iframe>`
	if own.PlayerURL == nil || *own.PlayerURL != n.URL+"/watch/"+id || own.EmbedCode == nil || *own.EmbedCode != code {
		t.Fatalf("with media: %s, %s", *own.PlayerURL, *own.EmbedCode)
	}

	// What GET returned, sent back, alters nothing; nor does null.
	body := n.Call(http.MethodGet, path, "").Body
	for _, call := range [][2]string{{http.MethodPut, string(body)}, {http.MethodPatch, `{"player_url":null,"embed_code":null}`},
		{http.MethodPatch, fmt.Sprintf(`{"embed_code":%q}`, "x")}, {http.MethodPatch, `{"embed_code":null}`}} {
		n.Call(call[0], path, call[1]).WantStatus(t, http.StatusOK)
	}
	if f := read(); f.Revision != own.Revision+2 || *f.EmbedCode != code || *f.PlayerURL != *own.PlayerURL {
		t.Errorf("after null: %+v", f)
	}

	// An older document, sent back under another name.
	n.PatchItem(id, `{"name":"New"}`)
	n.Call(http.MethodPut, path, strings.Replace(string(body), `"name":"R&D`, `"name":"Other R&D`, 1)).WantStatus(t, http.StatusUnprocessableEntity)
	n.PatchItem(id, fmt.Sprintf(`{"name":"Third","embed_code":%q}`, code))
	if f := read(); !strings.Contains(*f.EmbedCode, `title="Third"`) {
		t.Errorf("the code of an earlier name stays: %s", *f.EmbedCode)
	}

	// A client's own.
	n.PatchItem(id, `{"player_url":"https://tv.example/1","embed_code":"<b>mine</b>"}`)
	n.PatchItem(id, `{"name":"Fourth"}`)
	if f := read(); *f.PlayerURL != "https://tv.example/1" || *f.EmbedCode != "<b>mine</b>" {
		t.Errorf("a client's: %+v", f)
	}
	wide := strings.Replace(strings.ReplaceAll(code, "640", "800"), "360", "450", 2)
	n.PatchItem(id, fmt.Sprintf(`{"player_url":null,"embed_code":%q}`, wide))
	if f := read(); *f.EmbedCode != wide {
		t.Errorf("another size: %s", *f.EmbedCode)
	}
	n.PatchItem(id, `{"embed_code":null}`)
	n.Call(http.MethodDelete, path+"/assets/"+asset, "").WantStatus(t, http.StatusNoContent)
	if f := read(); f.PlayerURL != nil || f.EmbedCode != nil {
		t.Errorf("when the media is gone: %+v", f)
	}
}

// Documents from before the player get it without a revision.
func TestPlayer_ItemsFromBeforeItGetItWhenTheirDocumentIsRenderedAgain(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"Old"}`)
	attachSource(t, n, id)
	path := "/api/v1/items/" + id
	before := n.Call(http.MethodGet, path, "").Body
	var stored *string
	err := n.Pool.QueryRow(t.Context(), `UPDATE item SET document_version = 0, document = convert_to(replace(replace(
		convert_from(document, 'UTF8'), player.url, 'null'), '\"', ''), 'UTF8') FROM (SELECT to_json($2::text)::text AS url) player
		WHERE id = $1 RETURNING coalesce(player_url, embed_code)`, id, n.URL+"/watch/"+id).Scan(&stored)
	if err != nil || stored != nil {
		t.Fatalf("the columns have %v (%v)", stored, err)
	}
	if after := n.Call(http.MethodGet, path, "").Body; string(after) != string(before) {
		t.Errorf("got %s, want %s", after, before)
	}
}
