package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// seeded is an item as the load generator knows it.
type seeded struct {
	ID   uuid.UUID
	Size int // of the document, in bytes
}

// seed makes items through the import and waits until the node has processed them. Each build gets the same items.
func (b *build) seed(ctx context.Context, items int) error {
	if err := b.importItems(ctx, items); err != nil {
		return err
	}
	if err := b.readItems(ctx); err != nil {
		return err
	}
	if len(b.items) != items {
		return fmt.Errorf("the import made %d items instead of %d", len(b.items), items)
	}
	if err := b.pool.QueryRow(ctx, "SELECT id FROM account").Scan(&b.account); err != nil {
		return err
	}
	if err := b.awaitSequenced(ctx); err != nil {
		return err
	}
	return b.exec(ctx, "VACUUM ANALYZE", "CHECKPOINT")
}

// readItems reads the items and the sizes of their documents, which the writer changes.
func (b *build) readItems(ctx context.Context) error {
	rows, err := b.pool.Query(ctx, "SELECT id, octet_length(document) FROM item ORDER BY created_at, id")
	if err != nil {
		return err
	}
	b.items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[seeded])
	return err
}

func (b *build) importItems(ctx context.Context, items int) error {
	if items == 0 {
		return nil
	}
	var lines bytes.Buffer
	for n := range items {
		line, err := json.Marshal(itemInput(n))
		if err != nil {
			return err
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	_, err := b.apiAs(ctx, http.MethodPost, "/api/v1/items/import", "application/x-ndjson", &lines)
	return err
}

// itemInput makes an item whose document has about 1.2 kB.
func itemInput(n int) map[string]any {
	file := fmt.Sprintf("https://media.example.com/2026/%06d", n)
	return map[string]any{
		"name": fmt.Sprintf("Keynote %06d, main stage", n),
		"description": fmt.Sprintf("Recording number %d of the spring conference. ", n) +
			strings.Repeat("What was said, by whom, and why it matters. ", 3),
		"privacy":  "public",
		"language": "en",
		"producer": "Conference crew",
		"duration": 1800 + n%3600,
		"tags":     []string{fmt.Sprintf("day-%d", n%3), "keynote", fmt.Sprintf("speaker-%d", n%400)},
		"assets": []map[string]any{
			{"kind": "source", "url": file + "/master.mp4", "content_type": "video/mp4", "size": 734003200, "width": 1920,
				"height": 1080, "bitrate": 8000000},
			{"kind": "subtitle", "url": file + "/en.vtt", "content_type": "text/vtt", "size": 40960, "language": "en"},
		},
	}
}

// awaitSequenced waits until the log shows the last item, so that nothing of the seeding runs during a measurement.
func (b *build) awaitSequenced(ctx context.Context) error {
	if len(b.items) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		history, err := b.api(ctx, http.MethodGet, "/api/v1/items/"+b.items[len(b.items)-1].ID.String()+"/history", "")
		if err != nil {
			return fmt.Errorf("wait for the sequencer: %w", err)
		}
		if bytes.Contains(history, []byte(`"CREATED"`)) {
			return nil
		}
		if err := sleep(ctx, pollInterval); err != nil {
			return fmt.Errorf("wait for the sequencer: %w", err)
		}
	}
}

// anyName returns a name that no item has yet. It has the length of the others, so that documents do not change their
// size.
func anyName(n int64) string { return fmt.Sprintf("Take %09d, main stage", n) }

func (b *build) exec(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if _, err := b.pool.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	return nil
}
