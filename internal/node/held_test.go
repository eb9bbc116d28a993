package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/node/nodetest"
)

// addHeld gives an item a source and a snapshot whose files Itemcast holds, as uploads do.
func addHeld(n *nodetest.Node, id string) (asset, snapshot uuid.UUID) {
	n.T.Helper()
	asset, snapshot = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	var accountID uuid.UUID
	if err := n.Pool.QueryRow(n.T.Context(), "SELECT account_id FROM item WHERE id = $1", id).Scan(&accountID); err != nil {
		n.T.Fatal(err)
	}
	ctx := account.WithActor(n.T.Context(), account.Actor{AccountID: accountID,
		Permissions: account.Permissions{account.APIAccess, account.ItemsEdit}})
	_, err := n.Items.ChangeMedia(ctx, uuid.MustParse(id), func(context.Context, pgx.Tx, item.Held) (item.Media, error) {
		return item.Media{
			Add: []item.Asset{{ID: asset, Kind: item.AssetKindSource, URL: "/media/" + asset.String() + "/clip.mp4",
				ContentType: "video/mp4", Size: new(int64(7))}},
			AddSnapshots: []item.Snapshot{{ID: snapshot, URL: "/media/" + snapshot.String() + "/1.jpg"}},
		}, nil
	})
	if err != nil {
		n.T.Fatal(err)
	}
	return asset, snapshot
}

const subtitle = `{"kind":"subtitle","url":"https://a.example/1.vtt","content_type":"text/vtt"}`

// What GET returns can be sent back by PUT and PATCH, over REST and GraphQL; lists without the held ones retain them.
func TestHeld_AssetsStayAtEveryDoor(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	url, deliveries := nodetest.StartReceiver(t)
	n.CreateHook(`{"url":"` + url + `","events":["item.updated"]}`)
	id := n.CreateItem(`{"name":"a","assets":[` + subtitle + `],"snapshots":[{"url":"https://a.example/1.jpg"}]}`)
	path := "/api/v1/items/" + id
	asset, snapshot := addHeld(n, id)
	got := n.Call(http.MethodGet, path, "").WantStatus(t, http.StatusOK)
	if sent := nodetest.Next(t, deliveries); !bytes.Equal(sent.Body, got.Body) {
		t.Errorf("the hook has\n%s, GET\n%s", sent.Body, got.Body)
	}
	if !strings.Contains(string(got.Body), `"url":"`+n.URL+"/media/"+asset.String()+`/clip.mp4"`) {
		t.Errorf("the document is %s", got.Body)
	}
	sameAsREST(n, id)
	type vars = nodetest.Vars
	graphQLAsset := vars{"id": asset, "kind": "SOURCE", "contentType": "video/mp4", "url": n.URL + "/media/" + asset.String() + "/clip.mp4"}
	external := vars{"kind": "SUBTITLE", "contentType": "text/vtt", "url": "https://a.example/1.vtt"}
	graphQL := func(mutation string, variables vars) {
		t.Helper()
		variables["id"] = id
		n.GraphQL(mutation, variables)
	}
	const update = `mutation ($id: ID!, $i: UpdateItemInput!) { updateItem(id: $id, input: $i) { item { id } } }`
	const replace = `mutation ($id: ID!, $i: CreateItemInput!) { replaceItem(id: $id, input: $i) { item { id } } }`
	pictures := []vars{{"url": "https://a.example/1.jpg"}}
	n.WantNoWrites(func() {
		for _, write := range []func(){
			func() { n.Call(http.MethodPut, path, string(got.Body)).WantStatus(t, http.StatusOK) },
			func() { n.Call(http.MethodPatch, path, string(got.Body)).WantStatus(t, http.StatusOK) },
			func() { n.PatchItem(id, `{"assets":[`+subtitle+`],"snapshots":[{"url":"https://a.example/1.jpg"}]}`) },
			func() { graphQL(update, vars{"i": vars{"assets": []vars{external}, "snapshots": pictures}}) },
			func() { graphQL(update, vars{"i": vars{"assets": []vars{graphQLAsset, external}}}) },
			func() {
				graphQL(replace, vars{"i": vars{"name": "a", "assets": []vars{external}, "snapshots": pictures}})
			},
		} {
			write()
			if now := n.Call(http.MethodGet, path, ""); !bytes.Equal(now.Body, got.Body) {
				t.Errorf("the document became\n%s", now.Body)
			}
		}
		altered := strings.Replace(string(got.Body), "clip.mp4", "other.mp4", 1)
		refused := n.Call(http.MethodPut, path, altered).WantProblem(t, "altered", http.StatusUnprocessableEntity, "RULE_VIOLATED")
		if at := refused.FaultPlaces(t); len(at) != 1 || at[0] != "#/assets/0" ||
			!strings.Contains(string(refused.Body), "DELETE /items/{id}/assets/{asset_id}") {
			t.Errorf("altered: %s", refused.Body)
		}
	})
	if data := n.GraphQL(`mutation ($id: ID!, $p: ID) { setPoster(itemId: $id, snapshotId: $p) { item { snapshotId } } }`,
		vars{"id": id, "p": snapshot}); string(data) != `{"setPoster":{"item":{"snapshotId":"`+snapshot.String()+`"}}}` {
		t.Errorf("setPoster: %s", data)
	}
	sameAsREST(n, id)
}

func TestHeld_AssetsAndSnapshotsAreRemoved(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"a","assets":[` + subtitle + `],"snapshots":[{"url":"https://a.example/1.jpg"}]}`)
	path := "/api/v1/items/" + id
	asset, snapshot := addHeld(n, id)
	n.PatchItem(id, `{"snapshot_id":"`+snapshot.String()+`"}`)
	var document struct{ Assets, Snapshots []struct{ ID string } }
	if err := json.Unmarshal(n.Call(http.MethodGet, path, "").Body, &document); err != nil {
		t.Fatal(err)
	}
	n.WantNoWrites(func() {
		for _, stale := range []string{"/assets/" + asset.String(), "/snapshots/" + snapshot.String(), "/assets/" + uuid.NewString()} {
			n.Call(http.MethodDelete, path+stale, "", "If-Match", `"1"`).
				WantProblem(t, stale, http.StatusPreconditionFailed, "REVISION_MISMATCH")
		}
		n.Call(http.MethodDelete, path+"/assets/"+snapshot.String(), "").WantProblem(t, "a snapshot", http.StatusNotFound, "NOT_FOUND")
		n.Call(http.MethodDelete, path+"/snapshots/"+asset.String(), "").WantProblem(t, "an asset", http.StatusNotFound, "NOT_FOUND")
		n.Call(http.MethodDelete, path+"/assets/x", "").WantProblem(t, "no id", http.StatusNotFound, "NOT_FOUND")
	})
	n.Call(http.MethodDelete, path+"/assets/"+asset.String(), "", "If-Match", `"3"`).WantStatus(t, http.StatusNoContent)
	n.Call(http.MethodDelete, path+"/snapshots/"+snapshot.String(), "").WantStatus(t, http.StatusNoContent)
	data := n.GraphQL(`mutation ($id: ID!, $a: ID!, $s: ID!) {
		deleteAsset(itemId: $id, assetId: $a, ifRevision: 5) { item { assets { id } revision } }
		deleteSnapshot(itemId: $id, snapshotId: $s) { item { snapshots { id } snapshotId revision } } }`,
		nodetest.Vars{"id": id, "a": document.Assets[1].ID, "s": document.Snapshots[1].ID})
	if want := `{"deleteAsset":{"item":{"assets":[],"revision":6}},"deleteSnapshot":{"item":{"snapshots":[],"snapshotId":null,"revision":7}}}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	if left := sameAsREST(n, id); left["revision"] != 7.0 || left["snapshot_id"] != nil {
		t.Errorf("left: %v", left)
	}
}

func TestHeld_FilesEndWithTheirAsset(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	id := n.CreateItem(`{"name":"a","privacy":"public"}`)
	var accountID uuid.UUID
	if err := n.Pool.QueryRow(t.Context(), "SELECT account_id FROM item WHERE id = $1", id).Scan(&accountID); err != nil {
		t.Fatal(err)
	}
	file, err := n.Media.Stage(t.Context(), accountID, media.File{Asset: uuid.Must(uuid.NewV7()), Name: "clip.mp4"}, 100, strings.NewReader("clip"))
	if err != nil {
		t.Fatal(err)
	}
	path := n.Media.Path(file.Asset, file.Name)
	fetch := func() nodetest.Response { return n.WithAuthorization("").Call(http.MethodGet, path, "") }
	fetch().WantStatus(t, http.StatusNotFound)
	ctx := account.WithActor(t.Context(), account.Actor{AccountID: accountID,
		Permissions: account.Permissions{account.APIAccess, account.ItemsEdit}})
	_, err = n.Items.ChangeMedia(ctx, uuid.MustParse(id), func(ctx context.Context, tx pgx.Tx, held item.Held) (item.Media, error) {
		return item.Media{Add: []item.Asset{{ID: file.Asset, Kind: item.AssetKindSource, URL: path, ContentType: "video/mp4", Size: &file.Size}}},
			n.Media.Publish(ctx, tx, accountID, held.ID, file.Asset)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := fetch().WantStatus(t, http.StatusOK); string(got.Body) != "clip" {
		t.Errorf("got %q", got.Body)
	}
	n.PatchItem(id, `{"assets":[]}`)
	fetch().WantStatus(t, http.StatusOK)
	n.Call(http.MethodDelete, "/api/v1/items/"+id+"/assets/"+file.Asset.String(), "").WantStatus(t, http.StatusNoContent)
	fetch().WantStatus(t, http.StatusNotFound)
}
