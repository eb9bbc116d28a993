-- InsertFile announces a file before its first byte is stored. It inserts nothing if the asset has a file of that name,
-- or belongs to another account.
-- name: InsertFile :execrows
INSERT INTO media_file (asset_id, name, account_id, key, content_type, state)
SELECT @asset_id, @name, @account_id, @key, @content_type, 'staged'
WHERE NOT EXISTS (SELECT FROM media_file f WHERE f.asset_id = @asset_id AND f.account_id <> @account_id)
ON CONFLICT (asset_id, name) DO NOTHING;

-- DisplaceFile frees the name of a file that has never been published, for another attempt. The sweep deletes the old
-- bytes.
-- name: DisplaceFile :exec
UPDATE media_file SET asset_id = gen_random_uuid(), state = 'dropped', changed_at = 'epoch'
WHERE account_id = @account_id AND asset_id = @asset_id AND name = @name AND state <> 'published' AND item_id IS NULL;

-- name: CompleteFile :execrows
UPDATE media_file SET size = @size, sha256 = @sha256, changed_at = now()
WHERE account_id = @account_id AND key = @key AND state = 'staged';

-- AbandonFile ends a file that could not be stored. Its bytes have no grace.
-- name: AbandonFile :exec
UPDATE media_file SET state = 'dropped', changed_at = 'epoch'
WHERE account_id = @account_id AND key = @key AND state = 'staged';

-- name: StoredFile :one
SELECT asset_id, name, key, size, sha256, content_type, created_at FROM media_file
WHERE account_id = @account_id AND asset_id = @asset_id AND name = @name AND state <> 'dropped' AND sha256 IS NOT NULL;

-- FetchedFile reads a file that can be fetched, with the privacy of its item.
-- name: FetchedFile :one
-- system: anybody may fetch a public file; the caller checks who may fetch a private one.
SELECT f.asset_id, f.name, f.item_id, f.key, f.size, f.sha256, f.content_type, f.created_at, i.privacy
FROM media_file f JOIN item i ON i.id = f.item_id AND i.account_id = f.account_id
WHERE f.asset_id = @asset_id AND f.name = @name AND f.state = 'published';

-- PublishFiles makes the stored files of assets fetchable. They count for the item's workflow profile; while the item
-- is being made, for that of Measure. It returns how many of the assets had such files.
-- name: PublishFiles :one
WITH published AS (
    UPDATE media_file SET state = 'published', item_id = @item_id, changed_at = now(), profile_id = coalesce((
        SELECT i.workflow_profile_id FROM item i WHERE i.account_id = @account_id AND i.id = @item_id), profile_id)
    WHERE account_id = @account_id AND asset_id = ANY (@asset_ids::uuid[]) AND state = 'staged' AND sha256 IS NOT NULL
    RETURNING asset_id
)
SELECT count(DISTINCT asset_id)::bigint AS assets FROM published;

-- name: DropFiles :exec
UPDATE media_file SET state = 'dropped', changed_at = now()
WHERE account_id = @account_id AND asset_id = ANY (@asset_ids::uuid[]) AND state <> 'dropped';

-- name: DiscardFiles :exec
UPDATE media_file SET state = 'dropped', changed_at = 'epoch'
WHERE account_id = @account_id AND asset_id = ANY (@asset_ids::uuid[]) AND state = 'staged';

-- PublishedAssets returns which assets and snapshots of an item have files.
-- name: PublishedAssets :many
SELECT DISTINCT asset_id FROM media_file
WHERE account_id = @account_id AND item_id = @item_id AND state = 'published';

-- name: MediaKey :one
-- system: one key signs the links of all accounts.
SELECT secret FROM media_key;

-- KeepStaged keeps the sweep from files that are being stored.
-- name: KeepStaged :exec
-- system: a node's own files, of all accounts.
UPDATE media_file SET changed_at = now() WHERE key = ANY (@keys::text[]) AND state = 'staged';

-- name: ExpireStaged :execrows
-- system: the sweep is for all accounts.
UPDATE media_file SET state = 'dropped', changed_at = 'epoch' WHERE state = 'staged' AND changed_at < @before;

-- DropOrphans looks at a page of published assets, in the order of their ids, and drops the files of those that their
-- item no longer has. last is the nil id after the last page.
-- name: DropOrphans :one
-- system: the sweep is for all accounts.
WITH page AS (
    SELECT f.asset_id, f.item_id FROM media_file f WHERE f.state = 'published' AND f.asset_id > @after
    GROUP BY f.asset_id, f.item_id ORDER BY f.asset_id LIMIT @batch
), orphans AS (
    UPDATE media_file o SET state = 'dropped', changed_at = now() FROM page p
    WHERE o.asset_id = p.asset_id AND o.state = 'published'
      AND NOT EXISTS (SELECT FROM asset a WHERE a.item_id = p.item_id AND a.id = p.asset_id)
      AND NOT EXISTS (SELECT FROM snapshot s WHERE s.item_id = p.item_id AND s.id = p.asset_id)
    RETURNING o.key
)
SELECT (SELECT count(*) FROM orphans)::bigint AS dropped,
    coalesce((SELECT p.asset_id FROM page p ORDER BY p.asset_id DESC LIMIT 1),
        '00000000-0000-0000-0000-000000000000')::uuid AS last;

-- DroppedFiles returns files whose bytes can be deleted, the oldest first. An incomplete one may have parts.
-- name: DroppedFiles :many
-- system: the sweep is for all accounts.
SELECT key, (sha256 IS NULL)::boolean AS incomplete FROM media_file
WHERE state = 'dropped' AND changed_at < @before ORDER BY changed_at LIMIT @batch;

-- name: DeleteFiles :exec
-- system: the sweep is for all accounts.
DELETE FROM media_file WHERE key = ANY (@keys::text[]) AND state = 'dropped';

-- PostponeFiles is for files whose bytes could not be deleted.
-- name: PostponeFiles :exec
-- system: the sweep is for all accounts.
UPDATE media_file SET changed_at = now() WHERE key = ANY (@keys::text[]) AND state = 'dropped';

-- name: CountFiles :many
-- system: metrics of the installation.
SELECT state, count(*)::bigint AS files, coalesce(sum(size), 0)::bigint AS bytes FROM media_file GROUP BY state;
