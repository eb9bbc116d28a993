package bench

import "context"

// copies are the tables to which the baseline's PATCH writes: copies of Itemcast's, with the same rows and indexes. On
// Itemcast's own tables, Itemcast's sequencer and feed would process the baseline's changes, and slow the baseline
// down.
const copies = `
CREATE SCHEMA bench;
CREATE TABLE bench.item (LIKE public.item INCLUDING ALL) WITH (fillfactor = 85);
CREATE SEQUENCE bench.item_change_id;
CREATE TABLE bench.item_change (LIKE public.item_change INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)
	PARTITION BY RANGE (id);
ALTER TABLE bench.item_change ALTER COLUMN id SET DEFAULT nextval('bench.item_change_id');
CREATE TABLE bench.item_change_0 PARTITION OF bench.item_change FOR VALUES FROM (0) TO (250000);
CREATE TABLE bench.item_change_1 PARTITION OF bench.item_change FOR VALUES FROM (250000) TO (10000000);`

const copiedColumns = `id, account_id, name, description, type, privacy, language, producer, duration, tags, metadata,
	client_data, snapshot_id, embed_code, player_url, workflow_profile_id, workflow_status, workflow_action, created_by,
	created_at, updated_at, published_at, revision, document, document_version,
	search`

// patchedColumns are those of store.UpdateItemParams, in its order.
const patchedColumns = `name, description, type, privacy, language, producer, duration, tags, metadata, client_data,
	snapshot_id, embed_code, player_url, workflow_profile_id, workflow_status, workflow_action, updated_at, published_at,
	revision, document, document_version, search::text, account_id, id`

func (b *build) makeCopies(ctx context.Context) error {
	return b.exec(ctx, copies,
		"INSERT INTO bench.item ("+copiedColumns+") SELECT "+copiedColumns+" FROM public.item ORDER BY created_at, id",
		"VACUUM ANALYZE bench.item", "CHECKPOINT")
}
