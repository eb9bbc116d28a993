package node_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"itemcast/internal/node/nodetest"
	"itemcast/internal/soak"
)

// After a release that changes documents, every item is stale at first. While they are rendered again, reads and
// searches are right.
func TestUpgrade_ReadsAreRightWhileStaleDocumentsAreRendered(t *testing.T) {
	t.Parallel()
	n := nodetest.Start(t)
	model := n.Call(http.MethodPost, "/api/v1/items", `{"name":"Metropolis & more","description":"A city of the future",
		"tags":["silent","scifi"],"client_data":{"n":1.10},"assets":[{"kind":"source","url":"https://example.com/a",
		"content_type":"video/mp4"}]}`).WantStatus(t, http.StatusCreated)
	id := model.Field(t, "id")
	items := soak.Times(2_000, 1_000_000)
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := n.Pool.Exec(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE made AS SELECT gen_random_uuid() AS id FROM generate_series(1, $1::int)", items)
	exec(`INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data, created_by,
			created_at, updated_at, revision, document, document_version, search)
		SELECT m.id, account_id, name, description, type, privacy, tags, metadata, client_data, created_by, created_at,
			updated_at, revision, 'stale', 0, to_tsvector('simple', name || ' ' || description)
		FROM item i, made m WHERE i.id = $1`, id)
	exec(`INSERT INTO asset (account_id, item_id, id, position, kind, url, content_type)
		SELECT account_id, m.id, a.id, position, kind, url, content_type FROM asset a, made m WHERE item_id = $1`, id)
	rows, err := n.Pool.Query(t.Context(), "SELECT id::text FROM made ORDER BY id LIMIT 500")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	rows.Close()

	ctx, cancel := context.WithCancel(t.Context())
	began, done := time.Now(), make(chan error)
	go func() { done <- n.Items.RunRenewal(ctx) }()
	reads := 0
	for left := true; left; reads++ {
		one := ids[rand.N(len(ids))]
		want := bytes.ReplaceAll(model.Body, []byte(id), []byte(one))
		if got := n.Call(http.MethodGet, "/api/v1/items/"+one, ""); got.Status != http.StatusOK || !bytes.Equal(got.Body, want) {
			t.Fatalf("an item reads %d %s, want %s", got.Status, got.Body, want)
		}
		list := n.Call(http.MethodGet, "/api/v1/items?limit=20&sort=-updated_at&search=metropolis", "").
			WantStatus(t, http.StatusOK)
		if bytes.Count(list.Body, []byte(`"name":"Metropolis & more"`)) != 20 || bytes.Contains(list.Body, []byte("stale")) {
			t.Fatalf("a list reads %s", list.Body)
		}
		err := n.Pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM item WHERE document_version = 0)").Scan(&left)
		if err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	t.Logf("%d stale documents in %s, %.0f a second, beside %d reads", items, took, float64(items)/took.Seconds(), reads)
	var wrong int
	if err := n.Pool.QueryRow(t.Context(), `SELECT count(*) FROM item WHERE revision <> 1 OR rendering <> 3 AND id <> $1
		OR NOT search @@ '''=metropolis'''`, id).Scan(&wrong); err != nil || wrong > 0 {
		t.Errorf("%d items have another revision, rendering or other words, %v", wrong, err)
	}
}
