package file_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/node/nodetest"
)

// stored is a file of an item.
type stored struct {
	item  string
	asset uuid.UUID
	path  string // of its address
}

// store makes an item with an asset that has one file, as an upload does.
func store(n *nodetest.Node, privacy, name, contentType, text string) stored {
	n.T.Helper()
	f := stored{item: n.CreateItem(`{"name":"with a file","privacy":"` + privacy + `"}`), asset: uuid.Must(uuid.NewV7())}
	f.path = n.Media.Path(f.asset, name)
	owner := stage(n, f.item, f.asset, name, contentType, text)
	ctx := account.WithActor(n.T.Context(), account.Actor{AccountID: owner, Permissions: account.All()})
	_, err := n.Items.ChangeMedia(ctx, uuid.MustParse(f.item),
		func(ctx context.Context, tx pgx.Tx, held item.Held) (item.Media, error) {
			return item.Media{Add: []item.Asset{{ID: f.asset, Kind: item.AssetKindSource, URL: f.path,
				ContentType: contentType}}}, n.Media.Publish(ctx, tx, owner, held.ID, f.asset)
		})
	if err != nil {
		n.T.Fatal(err)
	}
	return f
}

// stage stages a file of an item's asset, and returns the item's account.
func stage(n *nodetest.Node, item string, asset uuid.UUID, name, contentType, text string) (owner uuid.UUID) {
	n.T.Helper()
	err := n.Pool.QueryRow(n.T.Context(), "SELECT account_id FROM item WHERE id = $1", item).Scan(&owner)
	if err != nil {
		n.T.Fatal(err)
	}
	_, err = n.Media.Stage(n.T.Context(), owner, media.File{Asset: asset, Name: name, ContentType: contentType}, 1<<30,
		strings.NewReader(text))
	if err != nil {
		n.T.Fatal(err)
	}
	return owner
}

// add publishes another file of an item's asset.
func add(n *nodetest.Node, item string, asset uuid.UUID, name, contentType, text string) {
	n.T.Helper()
	owner := stage(n, item, asset, name, contentType, text)
	err := db.Write(n.T.Context(), n.Pool, func(ctx context.Context, tx pgx.Tx) error {
		return n.Media.Publish(ctx, tx, owner, uuid.MustParse(item), asset)
	})
	if err != nil {
		n.T.Fatal(err)
	}
}

// get fetches an address as nobody.
func get(n *nodetest.Node, path string, header ...string) nodetest.Response {
	n.T.Helper()
	return n.WithAuthorization("").Call(http.MethodGet, path, "", header...)
}

func wantNotFound(t *testing.T, what string, got nodetest.Response) {
	t.Helper()
	got.WantProblem(t, what, http.StatusNotFound, "NOT_FOUND")
}
