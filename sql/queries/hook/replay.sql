-- BeginReplay replaces a replay that has ended.
-- name: BeginReplay :execrows
INSERT INTO hook_replay (hook_id, account_id, id, position, from_position, to_position, since, rate)
VALUES (@hook_id, @account_id, @id, @position, @position, @to_position, sqlc.narg('since'), @rate)
ON CONFLICT (hook_id) DO UPDATE SET id = EXCLUDED.id, position = EXCLUDED.position,
    from_position = EXCLUDED.from_position, to_position = EXCLUDED.to_position, since = EXCLUDED.since,
    rate = EXCLUDED.rate, deliveries = 0, due_at = now(), started_at = now(), ended_at = NULL, error = NULL
WHERE hook_replay.ended_at IS NOT NULL;

-- name: GetReplay :one
SELECT r.* FROM hook_replay r JOIN hook h ON h.id = r.hook_id
WHERE r.account_id = @account_id AND r.hook_id = @hook_id AND h.deleted_at IS NULL;

-- name: StopReplay :execrows
UPDATE hook_replay SET ended_at = now(), error = 'It was stopped by hand.'
WHERE account_id = @account_id AND hook_id = @hook_id AND ended_at IS NULL;

-- DueReplay locks the replay that has waited longest, if one is due, and reads its hook.
-- name: DueReplay :one
-- system: the dispatcher delivers for all accounts.
SELECT r.hook_id, r.account_id, r.position, r.to_position, r.since, r.rate, h.active, h.events, h.filter,
    h.changed_fields, h.body, h.updated_at,
    (SELECT count(*) FROM (
        SELECT FROM delivery d WHERE d.hook_id = r.hook_id LIMIT @max_pending::integer) p)::integer AS pending
FROM hook_replay r JOIN hook h ON h.id = r.hook_id
WHERE r.ended_at IS NULL AND r.due_at <= now() ORDER BY r.due_at LIMIT 1 FOR NO KEY UPDATE OF r SKIP LOCKED;

-- name: AdvanceReplay :exec
-- system: the dispatcher delivers for all accounts.
UPDATE hook_replay SET position = @position, deliveries = deliveries + @made,
    due_at = now() + make_interval(secs => @pause::float8),
    ended_at = CASE WHEN @ended::boolean THEN now() END, error = sqlc.narg('error')::text
WHERE hook_id = @hook_id;

-- ReplayableTo returns the position up to which a replay must send changes: the fan-out sends the changes after it. It
-- is the fan-out's position, or the position at which the hook was created, if that is higher.
-- name: ReplayableTo :one
SELECT greatest(h.after_position,
    (SELECT max(c.position) FROM consumer_position c WHERE c.consumer = 'hook'))::bigint AS position
FROM hook h WHERE h.account_id = @account_id AND h.id = @id;
