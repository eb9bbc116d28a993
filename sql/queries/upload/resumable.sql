-- LockNonce lets creations with one nonce happen one after the other, until the transaction ends.
-- name: LockNonce :exec
SELECT pg_advisory_xact_lock(hashtextextended('upload nonce ' || CAST(@profile_id AS uuid)::text || ' ' || CAST(@nonce AS text), 0));

-- PartsOfNonce adds up the parts that have come with a ticket.
-- name: PartsOfNonce :one
SELECT count(*)::bigint AS parts, coalesce(sum(size_expected), 0)::bigint AS bytes FROM upload
WHERE account_id = @account_id AND profile_id = CAST(@profile_id AS uuid) AND nonce = CAST(@nonce AS text)
  AND partial AND state = 'receiving';

-- PartsOfUser is PartsOfNonce for a user's uploads.
-- name: PartsOfUser :one
SELECT count(*)::bigint AS parts FROM upload
WHERE account_id = @account_id AND user_id = CAST(@user_id AS uuid) AND way = 'tus' AND state = 'receiving';

-- InsertResumable inserts nothing if the nonce is taken.
-- name: InsertResumable :execrows
INSERT INTO upload (id, account_id, profile_id, user_id, nonce, way, state, size_expected, reserved,
    reserved_minutes, node, key_hash, ticket, token_digest, metadata, partial, expires_at)
VALUES (@id, @account_id, @profile_id, @user_id, @nonce, 'tus', 'receiving', @size_expected, @reserved,
    @reserved_minutes, @node, @key_hash, @ticket, @token_digest, @metadata, @partial, @expires_at)
ON CONFLICT (profile_id, nonce) WHERE nonce IS NOT NULL AND state <> 'ended' AND NOT partial DO NOTHING;

-- HoldResumable makes a request the only writer of an upload. A writer whose node is dead gives way: every node holds an
-- advisory lock while it lives. A dead node's last segment is torn: the node may be paused, and write into it again.
-- name: HoldResumable :one
-- system: the key of the URL stands for the account.
UPDATE upload u SET writer = @writer, node = @node, wanted = false, seen_at = now(),
    torn = u.torn OR u.writer IS NOT NULL, hash = CASE WHEN u.writer IS NULL THEN u.hash END
WHERE u.key_hash = @key_hash AND u.state = 'receiving'
  AND (u.writer IS NULL
    OR pg_try_advisory_xact_lock_shared(hashtextextended('upload node ' || u.node::text, 0)))
RETURNING *;

-- name: ResumableByKey :one
-- system: the key of the URL stands for the account.
SELECT * FROM upload WHERE key_hash = @key_hash;

-- PartsByKey locks the parts of a concatenation.
-- name: PartsByKey :many
-- system: the keys stand for the account; the caller checks whose they are.
SELECT * FROM upload WHERE key_hash = ANY (@key_hashes::bytea[]) ORDER BY id FOR UPDATE;

-- TakePart gives the bytes of a part to the upload that it belongs to.
-- name: TakePart :exec
UPDATE upload SET state = 'ended', ended_at = now(), final_id = CAST(@final_id AS uuid), segments = '{}', sizes = '{}'
WHERE account_id = @account_id AND id = @id AND state = 'receiving';

-- Join gives an upload the bytes of its parts.
-- name: Join :exec
UPDATE upload SET segments = @segments::text[], sizes = @sizes::bigint[], bytes = @bytes, torn = true,
    joined = true
WHERE account_id = @account_id AND id = @id AND state = 'receiving';

-- name: WantResumable :exec
-- system: the key of the URL stands for the account.
UPDATE upload SET wanted = true WHERE key_hash = @key_hash AND writer IS NOT NULL AND NOT wanted;

-- WritersNow returns those of the writers that still hold their uploads, and whether another request waits.
-- name: WritersNow :many
-- system: the requests of a node, of all accounts.
SELECT writer::uuid AS writer, wanted FROM upload WHERE writer = ANY (@writers::uuid[]) AND state = 'receiving';

-- name: OpenSegments :execrows
UPDATE upload SET open_segments = @open_segments::text[]
WHERE account_id = @account_id AND id = @id AND state = 'receiving' AND writer = CAST(@writer AS uuid);

-- StoreSegments counts bytes that are stored. keep is how many of the segments stay as they were.
-- name: StoreSegments :execrows
UPDATE upload SET segments = segments[1:@keep::int] || @segments::text[], sizes = sizes[1:@keep::int] || @sizes::bigint[],
    open_segments = @open_segments::text[], bytes = @bytes, hash = @hash, torn = @torn, seen_at = now(),
    expires_at = @expires_at
WHERE account_id = @account_id AND id = @id AND state = 'receiving' AND writer = CAST(@writer AS uuid);

-- name: LetGo :exec
UPDATE upload SET writer = NULL WHERE account_id = @account_id AND id = @id AND writer = CAST(@writer AS uuid);

-- name: AddHeldAsset :execrows
UPDATE upload SET asset_ids = array_append(asset_ids, CAST(@asset_id AS uuid))
WHERE account_id = @account_id AND id = @id AND state = 'receiving' AND writer = CAST(@writer AS uuid);

-- EndHeld ends an upload without an item, and frees its nonce.
-- name: EndHeld :execrows
UPDATE upload SET state = 'ended', ended_at = now(), writer = NULL, refusal = sqlc.narg('refusal')
WHERE account_id = @account_id AND id = @id AND state = 'receiving' AND writer = CAST(@writer AS uuid);

-- Unfinished returns uploads whose bytes have all come, and that nobody finishes.
-- name: Unfinished :many
-- system: of all accounts.
SELECT key_hash FROM upload
WHERE state = 'receiving' AND way = 'tus' AND NOT partial AND bytes = size_expected AND seen_at < @before
ORDER BY seen_at LIMIT @max_rows;

-- Expire ends uploads that were not resumed in time. Those whose bytes have all come are finished, however long that
-- takes.
-- name: Expire :execrows
-- system: of all accounts.
UPDATE upload u SET state = 'ended', ended_at = now(), writer = NULL,
    refusal = 'The upload has expired, because nothing came for too long. Start it again.'
WHERE u.state = 'receiving' AND u.expires_at < @now AND (u.partial OR u.bytes <> u.size_expected)
  AND (u.writer IS NULL OR pg_try_advisory_xact_lock_shared(hashtextextended('upload node ' || u.node::text, 0)));

-- LeftSegments returns the segments of uploads that have ended. One that ended just now is left to its node.
-- name: LeftSegments :many
-- system: of all accounts.
SELECT id, account_id, (segments || open_segments)::text[] AS keys FROM upload
WHERE state <> 'receiving' AND (segments <> '{}' OR open_segments <> '{}') AND ended_at < now() - interval '30 seconds'
ORDER BY ended_at LIMIT @max_rows;

-- name: ForgetSegments :exec
UPDATE upload SET segments = '{}', sizes = '{}', open_segments = '{}'
WHERE account_id = @account_id AND id = @id AND state <> 'receiving';

-- LiveNode takes the lock that tells that a node lives. It is the connection's.
-- name: LiveNode :exec
-- system: nodes belong to no account.
SELECT pg_advisory_lock(hashtextextended('upload node ' || CAST(@node AS uuid)::text, 0));
