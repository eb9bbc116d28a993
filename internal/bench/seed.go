package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// copies are where the baseline's PATCH writes: tables as the product's, with the same rows and indexes. With the product's own, its
// sequencer and feed would work for the baseline's changes, which would flatter the ratio.
const copies = `
CREATE SCHEMA bench;
CREATE TABLE bench.item (LIKE public.item INCLUDING ALL) WITH (fillfactor = 85);
CREATE SEQUENCE bench.item_change_id;
CREATE TABLE bench.item_change (LIKE public.item_change INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES) PARTITION BY RANGE (id);
ALTER TABLE bench.item_change ALTER COLUMN id SET DEFAULT nextval('bench.item_change_id');
CREATE TABLE bench.item_change_0 PARTITION OF bench.item_change FOR VALUES FROM (0) TO (250000);
CREATE TABLE bench.item_change_1 PARTITION OF bench.item_change FOR VALUES FROM (250000) TO (10000000);`

const copiedColumns = `id, account_id, name, description, type, privacy, language, producer, duration, tags, metadata, client_data, snapshot_id,
	embed_code, player_url, workflow_profile_id, workflow_status, workflow_action, created_by, created_at, updated_at, published_at, revision,
	document, document_version`

// seed makes the items through the product's import, and the baseline's copies of the tables.
func (s *stage) seed(ctx context.Context) error {
	if err := s.importItems(ctx); err != nil {
		return err
	}
	rows, err := s.pool.Query(ctx, "SELECT id, octet_length(document) FROM item ORDER BY created_at, id")
	if err != nil {
		return err
	}
	if s.items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[seeded]); err != nil {
		return err
	}
	if len(s.items) != s.Items {
		return fmt.Errorf("%d items were made, and not %d", len(s.items), s.Items)
	}
	if err := s.pool.QueryRow(ctx, "SELECT account_id FROM item LIMIT 1").Scan(&s.account); err != nil {
		return err
	}
	if err := s.awaitSequenced(ctx); err != nil {
		return err
	}
	for _, sql := range []string{
		copies,
		"INSERT INTO bench.item (" + copiedColumns + ") SELECT " + copiedColumns + " FROM public.item ORDER BY created_at, id",
		"VACUUM ANALYZE",
		"CHECKPOINT",
	} {
		if _, err := s.pool.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) importItems(ctx context.Context) error {
	var lines bytes.Buffer
	for n := range s.Items {
		line, err := json.Marshal(itemInput(n))
		if err != nil {
			return err
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.product.addr+"/api/v1/items/import", &lines)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("import: %s: %s", response.Status, answer)
	}
	return nil
}

// itemInput makes a document of about 1.2 kB.
func itemInput(n int) map[string]any {
	file := fmt.Sprintf("https://media.example.com/2026/%06d", n)
	return map[string]any{
		"name":        fmt.Sprintf("Keynote %06d, main stage", n),
		"description": fmt.Sprintf("Recording number %d of the spring conference. ", n) + strings.Repeat("What was said, by whom, and why it matters. ", 3),
		"privacy":     "public",
		"language":    "en",
		"producer":    "Conference crew",
		"duration":    1800 + n%3600,
		"tags":        []string{fmt.Sprintf("day-%d", n%3), "keynote", fmt.Sprintf("speaker-%d", n%400)},
		"assets": []map[string]any{
			{"kind": "source", "url": file + "/master.mp4", "content_type": "video/mp4", "size": 734003200, "width": 1920, "height": 1080, "bitrate": 8000000},
			{"kind": "subtitle", "url": file + "/en.vtt", "content_type": "text/vtt", "size": 40960, "language": "en"},
		},
	}
}

// awaitSequenced waits until every change has its position, so that no work of the seeding goes on while something is measured.
func (s *stage) awaitSequenced(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		var changes, positions int
		err := s.pool.QueryRow(ctx, "SELECT (SELECT count(*) FROM item_change), (SELECT count(*) FROM item_position)").Scan(&changes, &positions)
		if err != nil {
			return fmt.Errorf("wait for the sequencer: %w", err)
		}
		if changes == positions {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}
