-- ListTokens and GetToken read what belongs to one user, or with user_id null to all users of the account.
-- name: ListTokens :many
SELECT t.id, t.user_id, u.email AS user_email, t.name, t.permissions, t.filter, t.origins, t.requests_per_minute,
    t.expires_at, t.previous_until, t.created_by, t.created_at, t.updated_at, t.revision,
    l.hour AS last_hour, l.address AS last_address,
    (SELECT coalesce(sum(d.requests), 0) FROM access_token_use d
      WHERE d.token_id = t.id AND d.hour > now() - interval '24 hours')::bigint AS requests_last_day
FROM access_token t JOIN app_user u ON u.id = t.user_id
LEFT JOIN access_token_use l ON l.token_id = t.id
  AND l.hour = (SELECT s.hour FROM access_token_use s WHERE s.token_id = t.id ORDER BY s.hour DESC LIMIT 1)
WHERE t.account_id = @account_id AND (sqlc.narg('before_id')::uuid IS NULL OR t.id < sqlc.narg('before_id')::uuid)
  AND (sqlc.narg('user_id')::uuid IS NULL OR t.user_id = sqlc.narg('user_id')::uuid)
ORDER BY t.id DESC LIMIT @max_rows;

-- name: GetToken :one
SELECT t.id, t.user_id, u.email AS user_email, t.name, t.permissions, t.filter, t.origins, t.requests_per_minute,
    t.expires_at, t.previous_until, t.created_by, t.created_at, t.updated_at, t.revision,
    l.hour AS last_hour, l.address AS last_address,
    (SELECT coalesce(sum(d.requests), 0) FROM access_token_use d
      WHERE d.token_id = t.id AND d.hour > now() - interval '24 hours')::bigint AS requests_last_day
FROM access_token t JOIN app_user u ON u.id = t.user_id
LEFT JOIN access_token_use l ON l.token_id = t.id
  AND l.hour = (SELECT s.hour FROM access_token_use s WHERE s.token_id = t.id ORDER BY s.hour DESC LIMIT 1)
WHERE t.account_id = @account_id AND t.id = @id
  AND (sqlc.narg('user_id')::uuid IS NULL OR t.user_id = sqlc.narg('user_id')::uuid);

-- LockToken locks a token's row against changes until the transaction ends.
-- name: LockToken :one
SELECT revision FROM access_token
WHERE account_id = @account_id AND id = @id
  AND (sqlc.narg('user_id')::uuid IS NULL OR user_id = sqlc.narg('user_id')::uuid) FOR NO KEY UPDATE;

-- name: Owner :one
SELECT u.id, u.email, r.name AS role, r.permissions FROM app_user u JOIN role r ON r.id = u.role_id
WHERE u.account_id = @account_id AND u.id = @id;

-- LockUser locks a user until the transaction ends, so that tokens of one user are counted and inserted one after the
-- other. The deletion of a user takes this lock before those of the user's tokens: LockToken must not come before it.
-- name: LockUser :exec
SELECT FROM app_user WHERE account_id = @account_id AND id = @id FOR NO KEY UPDATE;

-- InsertToken inserts nothing when the user has max_tokens already.
-- name: InsertToken :execrows
INSERT INTO access_token (id, account_id, user_id, name, permissions, filter, origins, requests_per_minute, digest,
    expires_at, created_by)
SELECT CAST(@id AS uuid), CAST(@account_id AS uuid), CAST(@user_id AS uuid), CAST(@name AS text),
    CAST(@permissions AS text[]), CAST(sqlc.narg('filter') AS jsonb), CAST(@origins AS text[]),
    CAST(@requests_per_minute AS integer), CAST(@digest AS bytea), CAST(sqlc.narg('expires_at') AS timestamptz),
    CAST(sqlc.narg('created_by') AS uuid)
WHERE (SELECT count(*) FROM access_token o WHERE o.user_id = @user_id) < @max_tokens::bigint;

-- name: UpdateToken :exec
UPDATE access_token SET name = @name, permissions = @permissions, filter = sqlc.narg('filter'), origins = @origins,
    requests_per_minute = @requests_per_minute, expires_at = sqlc.narg('expires_at'),
    updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id;

-- RotateToken retains the previous secret for keep_for seconds. 0 revokes it at once, and any earlier one with it.
-- name: RotateToken :one
UPDATE access_token SET previous_digest = CASE WHEN @keep_for::float8 > 0 THEN digest END,
    previous_until = CASE WHEN @keep_for::float8 > 0 THEN now() + make_interval(secs => @keep_for::float8) END,
    digest = @digest, updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id
RETURNING previous_until;

-- RevokeToken also deletes the record of the token's use.
-- name: RevokeToken :exec
WITH used AS (DELETE FROM access_token_use s WHERE s.account_id = @account_id AND s.token_id = @id)
DELETE FROM access_token t WHERE t.account_id = @account_id AND t.id = @id;
