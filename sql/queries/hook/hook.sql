-- InsertHook records exactly which changes came before the hook: those that have a position, and those in the same
-- snapshot that have none yet. ORDER BY … LIMIT makes the plan use the index of ids, as in the sequencer. It inserts
-- nothing when the account has max_hooks already. Hidden hooks (SyncTaskHooks) do not count, here and below.
-- name: InsertHook :execrows
INSERT INTO hook (id, account_id, url, description, events, filter, changed_fields, headers, body, rate_limit,
    max_in_flight, active, secret, after_position, after_changes)
SELECT CAST(@id AS uuid), CAST(@account_id AS uuid), CAST(@url AS text), CAST(@description AS text),
    CAST(@events AS text[]), CAST(sqlc.narg('filter') AS jsonb), CAST(sqlc.narg('changed_fields') AS text[]),
    CAST(@headers AS jsonb), CAST(@body AS text), CAST(sqlc.narg('rate_limit') AS integer),
    CAST(sqlc.narg('max_in_flight') AS integer), CAST(@active AS boolean), CAST(@secret AS text), h.position,
    ARRAY(SELECT f.id FROM item_change f WHERE f.id > h.scanned_to ORDER BY f.id LIMIT 10000)
        || ARRAY(SELECT g.id FROM item_change g WHERE g.id = ANY (h.gaps))
FROM (SELECT position, scanned_to, gaps FROM feed_head ORDER BY step DESC LIMIT 1) h
WHERE (
    SELECT count(*) FROM hook o
    WHERE o.account_id = @account_id AND o.deleted_at IS NULL AND o.workflow_profile_id IS NULL
) < @max_hooks::bigint;

-- ListHooks and GetHook count what is pending up to a limit, which bounds their cost.
-- name: ListHooks :many
SELECT id, url, description, events, filter, changed_fields, headers, body, rate_limit, max_in_flight, active,
    disabled_reason, old_secret_until, last_success_at, last_failure_at, failing_since, last_error, created_at,
    updated_at, revision,
    (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.hook_id = hook.id LIMIT 1000) p) AS pending
FROM hook
WHERE hook.account_id = @account_id AND hook.deleted_at IS NULL AND hook.workflow_profile_id IS NULL
    AND (sqlc.narg('before_id')::uuid IS NULL OR hook.id < sqlc.narg('before_id')::uuid)
ORDER BY id DESC LIMIT @max_rows;

-- name: GetHook :one
SELECT id, url, description, events, filter, changed_fields, headers, body, rate_limit, max_in_flight, active,
    disabled_reason, old_secret_until, last_success_at, last_failure_at, failing_since, last_error, created_at,
    updated_at, revision,
    (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.hook_id = hook.id LIMIT 1000) p) AS pending
FROM hook
WHERE hook.account_id = @account_id AND hook.id = @id AND hook.deleted_at IS NULL AND hook.workflow_profile_id IS NULL;

-- name: HookForUpdate :one
SELECT id, url, description, events, filter, changed_fields, headers, body, rate_limit, max_in_flight, active, secret,
    revision
FROM hook WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL AND workflow_profile_id IS NULL
FOR NO KEY UPDATE;

-- UpdateHook clears the record of failures when the hook becomes active again.
-- name: UpdateHook :exec
UPDATE hook SET url = @url, description = @description, events = @events, filter = sqlc.narg('filter'),
    changed_fields = sqlc.narg('changed_fields'), headers = @headers, body = @body,
    rate_limit = sqlc.narg('rate_limit'), max_in_flight = sqlc.narg('max_in_flight'), active = @active,
    disabled_reason = CASE WHEN @active THEN NULL ELSE disabled_reason END,
    failing_since = CASE WHEN @active AND NOT active THEN NULL ELSE failing_since END,
    updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id;

-- RotateSecret retains the previous secret for keep_for seconds.
-- name: RotateSecret :one
UPDATE hook SET old_secret = secret, old_secret_until = now() + make_interval(secs => @keep_for::float8),
    secret = @secret, updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL AND workflow_profile_id IS NULL
RETURNING old_secret_until;

-- DeleteHook hides a hook and makes it inactive. ForgetHook removes its row when it has no more pending deliveries.
-- name: DeleteHook :exec
UPDATE hook SET deleted_at = now(), active = false
WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL AND workflow_profile_id IS NULL;

-- SendingTo reads the settings that a test request needs.
-- name: SendingTo :one
SELECT id, url, secret, coalesce(CASE WHEN old_secret_until > now() THEN old_secret END, '')::text AS old_secret,
    headers, body
FROM hook WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL AND workflow_profile_id IS NULL;

-- RedeliveringTo reads what a redelivery needs to know of a hook, hidden or not.
-- name: RedeliveringTo :one
SELECT active, body, workflow_profile_id FROM hook WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL;

-- HooksWanting returns the active hooks that ask for any of the events.
-- name: HooksWanting :many
SELECT id, filter, updated_at FROM hook
WHERE account_id = @account_id AND workflow_profile_id IS NULL AND active AND events && @events::text[] ORDER BY id;

-- ActiveHooksOf returns users' hooks. The hidden hooks are many, and each change is for one of them at most (TaskHooks).
-- name: ActiveHooksOf :many
-- system: a batch of the log has changes of many accounts; each hook is matched with those of its own account only.
SELECT id, account_id, url, secret,
    coalesce(CASE WHEN old_secret_until > now() THEN old_secret END, '')::text AS old_secret, headers, events, filter,
    changed_fields, body, rate_limit, max_in_flight, after_position, after_changes, updated_at
FROM hook WHERE active AND account_id = ANY (@account_ids::uuid[]) AND workflow_profile_id IS NULL;

-- TaskHooks returns hidden hooks, also those that itemcast restore has made inactive: what they are sent then fails
-- visibly.
-- name: TaskHooks :many
-- system: as ActiveHooksOf.
SELECT id, account_id, url, secret,
    coalesce(CASE WHEN old_secret_until > now() THEN old_secret END, '')::text AS old_secret, headers, events, filter,
    changed_fields, body, rate_limit, max_in_flight, after_position, after_changes, updated_at
FROM hook WHERE id = ANY (@ids::uuid[]) AND workflow_profile_id IS NOT NULL;

-- DisableHook makes a hook inactive, with a reason for its owner. A hidden hook stays active, here and below: its owner
-- could not make it active again.
-- name: DisableHook :one
-- system: the dispatcher delivers for all accounts.
UPDATE hook SET active = false, disabled_reason = @reason::text, updated_at = now(), revision = revision + 1
WHERE id = @id AND active AND workflow_profile_id IS NULL RETURNING account_id;

-- DisableFailing makes hooks inactive whose attempts have all failed for the given number of seconds.
-- name: DisableFailing :many
-- system: the dispatcher delivers for all accounts.
UPDATE hook SET active = false, updated_at = now(), revision = revision + 1,
    disabled_reason = format('Every attempt has failed since %s; the last: %s',
        to_char(failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), last_error)
WHERE id = ANY (@ids::uuid[]) AND active AND workflow_profile_id IS NULL
    AND failing_since < now() - make_interval(secs => @after::float8)
RETURNING id, account_id, disabled_reason::text AS reason;

-- InactiveHooks returns the inactive hooks that have pending deliveries, and the deleted ones.
-- name: InactiveHooks :many
-- system: the dispatcher delivers for all accounts.
SELECT h.id, (h.deleted_at IS NOT NULL)::boolean AS deleted,
    coalesce(h.disabled_reason, 'The hook was made inactive.')::text AS reason
FROM hook h
WHERE NOT h.active AND (h.deleted_at IS NOT NULL
    OR (SELECT d.position FROM delivery d WHERE d.hook_id = h.id LIMIT 1) IS NOT NULL);

-- name: ForgetHook :execrows
-- system: the dispatcher delivers for all accounts.
DELETE FROM hook h WHERE h.id = @id AND h.deleted_at < now() - interval '5 seconds'
    AND (SELECT d.position FROM delivery d WHERE d.hook_id = h.id LIMIT 1) IS NULL;

-- NoteHealth records for each hook that it works, or that it fails (error is not empty): at once when that is new, else
-- at most once a second. It skips locked rows, because bookkeeping must not wait, and returns their number: what they
-- miss is recorded later. An age is how long ago the result was, in seconds; 0: now. An old result does not replace a
-- newer one.
-- name: NoteHealth :execrows
-- system: the dispatcher delivers for all accounts.
WITH results AS (
    SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@works::boolean[]) AS works, unnest(@errors::text[]) AS error,
        unnest(@ages::float8[]) AS age
), wanted AS MATERIALIZED (
    SELECT h.id, c.works, c.fails, r.error, t.at
    FROM results r JOIN hook h ON h.id = r.hook_id
    CROSS JOIN LATERAL (SELECT now() - make_interval(secs => r.age) AS at) t
    CROSS JOIN LATERAL (SELECT
        r.works AND (h.last_success_at IS NULL OR h.last_success_at <= h.last_failure_at
            OR h.last_success_at < t.at - interval '1 second')
            AND (r.age = 0 OR coalesce(h.last_failure_at <= t.at, true)) AS works,
        r.error <> '' AND (h.last_failure_at IS NULL OR h.last_failure_at <= h.last_success_at
            OR h.last_failure_at < t.at - interval '1 second')
            AND (r.age = 0 OR coalesce(h.last_success_at <= t.at, true)) AS fails
    ) c
    WHERE c.works OR c.fails
), noted AS MATERIALIZED (
    SELECT h.id, w.works, w.fails, w.error, w.at FROM wanted w JOIN hook h ON h.id = w.id
    FOR NO KEY UPDATE OF h SKIP LOCKED
), recorded AS (
    UPDATE hook h SET last_success_at = CASE WHEN n.works THEN n.at ELSE h.last_success_at END,
        last_failure_at = CASE WHEN n.fails THEN n.at ELSE h.last_failure_at END,
        failing_since = CASE WHEN n.works THEN NULL WHEN n.fails THEN coalesce(h.failing_since, n.at) END,
        last_error = CASE WHEN n.fails THEN n.error ELSE h.last_error END
    FROM noted n WHERE h.id = n.id
)
SELECT w.id FROM wanted w WHERE NOT EXISTS (SELECT FROM noted n WHERE n.id = w.id);
