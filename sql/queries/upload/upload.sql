-- ReleaseDead frees a ticket's nonce if the node that reserved it has died.
-- name: ReleaseDead :exec
UPDATE upload SET state = 'ended', ended_at = now()
WHERE account_id = @account_id AND profile_id = CAST(@profile_id AS uuid) AND nonce = CAST(@nonce AS text)
  AND state = 'receiving' AND way = 'form' AND seen_at < now() - make_interval(secs => @dead_after::float8);

-- InsertUpload reserves a ticket's nonce. It inserts nothing if the nonce is taken.
-- name: InsertUpload :execrows
INSERT INTO upload (id, account_id, profile_id, user_id, nonce, way, state, size_expected, reserved, reserved_minutes,
    node)
VALUES (@id, @account_id, @profile_id, @user_id, @nonce, @way, 'receiving', @size_expected, @reserved,
    @reserved_minutes, @node)
ON CONFLICT (profile_id, nonce) WHERE nonce IS NOT NULL AND state <> 'ended' AND NOT partial DO NOTHING;

-- name: NonceState :one
SELECT state FROM upload
WHERE account_id = @account_id AND profile_id = CAST(@profile_id AS uuid) AND nonce = CAST(@nonce AS text) AND state <> 'ended'
  AND NOT partial;

-- name: Reserve :execrows
UPDATE upload SET reserved = @reserved WHERE account_id = @account_id AND id = @id AND state = 'receiving';

-- AddAsset records a file before its first byte is stored.
-- name: AddAsset :execrows
UPDATE upload SET asset_ids = array_append(asset_ids, CAST(@asset_id AS uuid))
WHERE account_id = @account_id AND id = @id AND state = 'receiving';

-- Finish spends the nonce. The files belong to items then. The writer is that of a resumable upload. Parts that came
-- with the nonce, and that no concatenation can take any more, end and free what they have reserved.
-- name: Finish :one
WITH finished AS (
    UPDATE upload u SET state = 'done', ended_at = now(), bytes = @bytes, item_ids = @item_ids, asset_ids = '{}',
        writer = NULL
    WHERE u.account_id = @account_id AND u.id = @id AND u.state = 'receiving'
      AND u.writer IS NOT DISTINCT FROM CAST(sqlc.narg('writer') AS uuid)
    RETURNING u.account_id, u.profile_id, u.nonce
), parts AS (
    UPDATE upload p SET state = 'ended', ended_at = now(), writer = NULL,
        refusal = 'The ticket of this part has been used, and its upload has ended without the part.'
    FROM finished f
    WHERE p.account_id = f.account_id AND p.profile_id = f.profile_id AND p.nonce = f.nonce
      AND p.partial AND p.state = 'receiving'
)
SELECT count(*)::bigint AS finished FROM finished;

-- Release ends an upload without items, and frees its nonce.
-- name: Release :exec
UPDATE upload SET state = 'ended', ended_at = now(), bytes = greatest(bytes, @bytes)
WHERE account_id = @account_id AND id = @id AND state = 'receiving';

-- name: Discarded :exec
UPDATE upload SET asset_ids = '{}' WHERE account_id = @account_id AND id = @id AND state = 'ended';

-- StillReceiving tells that this node lives, and returns those of its uploads that nobody has ended.
-- name: StillReceiving :many
-- system: a node's own uploads, of all accounts.
UPDATE upload u SET seen_at = now(), bytes = p.bytes
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@bytes::bigint[]) AS bytes) p
WHERE u.id = p.id AND u.state = 'receiving'
RETURNING u.id;

-- name: EndDead :execrows
-- system: uploads of dead nodes, of all accounts.
UPDATE upload SET state = 'ended', ended_at = now()
WHERE state = 'receiving' AND way = 'form' AND seen_at < now() - make_interval(secs => @dead_after::float8);

-- Leftovers returns uploads that have ended and whose files have not been discarded. One that ended just now is left to
-- its node.
-- name: Leftovers :many
-- system: files of all accounts.
SELECT id, account_id, asset_ids FROM upload
WHERE state = 'ended' AND asset_ids <> '{}' AND ended_at < now() - interval '30 seconds'
ORDER BY ended_at LIMIT @max_rows;

-- Prune deletes what no ticket needs any more: one that was valid when its upload began has expired by then.
-- name: Prune :execrows
-- system: of all accounts.
DELETE FROM upload WHERE id IN (
    SELECT p.id FROM upload p WHERE p.ended_at < now() - make_interval(secs => @keep_for::float8)
      AND (p.state = 'done' OR p.asset_ids = '{}') AND p.segments = '{}' AND p.open_segments = '{}'
    LIMIT @max_rows);

-- name: ListUploads :many
SELECT id, profile_id, user_id, nonce, way, size_expected, bytes, started_at, seen_at FROM upload
WHERE account_id = @account_id AND state = 'receiving'
  AND (way = 'tus' OR seen_at >= now() - make_interval(secs => @dead_after::float8))
  AND (profile_id IS NULL OR profile_id <> ALL (
      (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
  AND (sqlc.narg('before_id')::uuid IS NULL OR id < sqlc.narg('before_id')::uuid)
ORDER BY id DESC LIMIT @max_rows;

-- name: StopUpload :execrows
UPDATE upload SET state = 'ended', ended_at = now()
WHERE account_id = @account_id AND id = @id AND state = 'receiving'
  AND (profile_id IS NULL OR profile_id <> ALL (
      (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]));
