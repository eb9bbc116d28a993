package file_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/db"
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
	asset := uuid.Must(uuid.NewV7())
	path := n.Media.Path(asset, name)
	item := n.CreateItem(fmt.Sprintf(
		`{"name":"with a file","privacy":%q,"assets":[{"id":%q,"kind":"source","url":%q,"content_type":"video/mp4"}]}`,
		privacy, asset, n.URL+path))
	add(n, item, asset, name, contentType, text)
	return stored{item, asset, path}
}

// add publishes a file of an item's asset.
func add(n *nodetest.Node, item string, asset uuid.UUID, name, contentType, text string) {
	n.T.Helper()
	var account uuid.UUID
	err := n.Pool.QueryRow(n.T.Context(), "SELECT account_id FROM item WHERE id = $1", item).Scan(&account)
	if err != nil {
		n.T.Fatal(err)
	}
	_, err = n.Media.Stage(n.T.Context(), account, media.File{Asset: asset, Name: name, ContentType: contentType}, 1<<30,
		strings.NewReader(text))
	if err != nil {
		n.T.Fatal(err)
	}
	err = db.Write(n.T.Context(), n.Pool, func(ctx context.Context, tx pgx.Tx) error {
		return n.Media.Publish(ctx, tx, account, uuid.MustParse(item), asset)
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
