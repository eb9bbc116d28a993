package hooktest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/change"
)

// Write makes changes to an item, each in a separate transaction: it upserts the item's row and records the change, as
// the item service does.
func (b *Bundle) Write(sequencer *change.Sequencer, item uuid.UUID, kinds ...change.Kind) {
	b.T.Helper()
	for _, kind := range kinds {
		b.Record(sequencer, change.Change{ItemID: item, Kind: kind, Trigger: change.TriggerWrite})
	}
}

// Record commits a change and wakes the sequencer.
func (b *Bundle) Record(sequencer *change.Sequencer, c change.Change) {
	b.T.Helper()
	tx := b.Begin(c)
	if err := tx.Commit(b.Ctx); err != nil {
		b.T.Fatal(err)
	}
	sequencer.Wake()
}

const upsertItem = `
	INSERT INTO item (id, account_id, name, description, type, privacy, tags, metadata, client_data, created_at,
		updated_at, revision, document, document_version)
	VALUES ($1, $2, 'test', '', 'video', 'private', '{}', '{}', '{}', now(), now(), 1, '{}', 1)
	ON CONFLICT (id) DO UPDATE SET revision = item.revision + $3 RETURNING revision`

// Raise raises the revision of an item, which it makes if there is none, and returns it.
func (b *Bundle) Raise(tx pgx.Tx, item uuid.UUID) (revision int64, err error) {
	err = tx.QueryRow(b.Ctx, upsertItem, item, b.Account, 1).Scan(&revision)
	return revision, err
}

// Begin returns a transaction that has recorded a change and is still open.
func (b *Bundle) Begin(c change.Change) pgx.Tx {
	b.T.Helper()
	tx, err := b.Pool.Begin(b.Ctx)
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	c.AccountID = b.Account
	if c.OccurredAt.IsZero() {
		c.OccurredAt = time.Now()
	}
	step := 1
	if c.Kind == change.Triggered {
		step = 0
	}
	err = tx.QueryRow(b.Ctx, upsertItem, c.ItemID, c.AccountID, step).Scan(&c.Revision)
	if err != nil {
		b.T.Fatal(err)
	}
	if c.Document == nil {
		c.Document = DocumentOf(c.ItemID, c.Revision)
	}
	if err := change.Record(b.Ctx, tx, c); err != nil {
		b.T.Fatal(err)
	}
	return tx
}

// DocumentOf returns a document that no encoder would reproduce: its order, spaces and escapes are unusual. A test that
// compares bytes notices when the document is encoded again.
func DocumentOf(item uuid.UUID, revision int64) []byte {
	return fmt.Appendf(nil, "{\"revision\" : %d, \"id\":\"%s\", \"name\": \"\\u00e9 \u00e9 <&>\"}", revision, item)
}
