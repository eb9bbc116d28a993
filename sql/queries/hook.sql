-- InsertHook notes exactly which changes came before the hook: those with a position, and those that the same snapshot shows without one.
-- ORDER BY … LIMIT keeps the look-up on the index of ids, as in the sequencer.
-- name: InsertHook :one
INSERT INTO hook (id, account_id, url, description, events, active, secret, after_position, after_changes)
SELECT CAST(@id AS uuid), CAST(@account_id AS uuid), CAST(@url AS text), CAST(@description AS text), CAST(@events AS text[]),
    CAST(@active AS boolean), CAST(@secret AS text), h.position,
    ARRAY(SELECT f.id FROM item_change f WHERE f.id > h.scanned_to ORDER BY f.id LIMIT 10000)
        || ARRAY(SELECT g.id FROM item_change g WHERE g.id = ANY (h.gaps))
FROM (SELECT position, scanned_to, gaps FROM feed_head ORDER BY step DESC LIMIT 1) h
RETURNING id, url, description, events, active, disabled_reason, last_success_at, last_failure_at, last_error, created_at, updated_at,
    CAST(0 AS bigint) AS pending;

-- ListHooks counts what is pending up to a number that bounds its cost; so does GetHook.
-- name: ListHooks :many
SELECT id, url, description, events, active, disabled_reason, last_success_at, last_failure_at, last_error, created_at, updated_at,
    (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.hook_id = hook.id AND d.state = 'pending' LIMIT 1000) p) AS pending
FROM hook
WHERE hook.account_id = @account_id AND (sqlc.narg('before_id')::uuid IS NULL OR hook.id < sqlc.narg('before_id')::uuid)
ORDER BY id DESC LIMIT @max_rows;

-- name: GetHook :one
SELECT id, url, description, events, active, disabled_reason, last_success_at, last_failure_at, last_error, created_at, updated_at,
    (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.hook_id = hook.id AND d.state = 'pending' LIMIT 1000) p) AS pending
FROM hook WHERE hook.account_id = @account_id AND hook.id = @id;

-- name: DeleteHook :execrows
DELETE FROM hook WHERE account_id = @account_id AND id = @id;

-- name: HooksWanting :many
SELECT id FROM hook WHERE account_id = @account_id AND active AND @event::text = ANY (events) ORDER BY id;

-- LockLines is held by whoever puts deliveries into lines or takes them out, until its transaction ends: otherwise a delivery could be
-- parked behind one that is just being finished, and nobody would promote it.
-- name: LockLines :exec
-- system: lines of all accounts change hands under one lock.
SELECT pg_advisory_xact_lock(hashtext('itemcast hook lines'));

-- AwaitLines returns when no transaction that changes lines is under way any more, of those that there were.
-- name: AwaitLines :exec
-- system: as LockLines.
SELECT pg_advisory_xact_lock_shared(hashtext('itemcast hook lines'));

-- name: ActiveHooksOf :many
-- system: a batch of the log is of many accounts; each hook is matched only with its own account's changes.
SELECT id, account_id, events, after_position, after_changes FROM hook WHERE active AND account_id = ANY (@account_ids::uuid[]);

-- InsertDeliveries makes due what is first in its line, given that it is the first of the batch; the rest is parked. A sub-select with LIMIT
-- and not EXISTS, which a plan may turn into a hash of all that is pending.
-- name: InsertDeliveries :exec
-- system: each row names the account of its hook.
INSERT INTO delivery (id, account_id, hook_id, item_id, change_id, position, due_at)
SELECT n.id, n.account_id, n.hook_id, n.item_id, n.change_id, n.position,
    CASE WHEN n.first AND (
        SELECT p.id FROM delivery p WHERE p.hook_id = n.hook_id AND p.item_id = n.item_id AND p.state = 'pending' LIMIT 1
    ) IS NULL THEN clock_timestamp() END
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::uuid[]) AS account_id, unnest(@hook_ids::uuid[]) AS hook_id,
    unnest(@item_ids::uuid[]) AS item_id, unnest(@change_ids::bigint[]) AS change_id, unnest(@positions::bigint[]) AS position,
    unnest(@firsts::boolean[]) AS first) n
ON CONFLICT (hook_id, change_id) DO NOTHING;

-- ClaimDeliveries takes due deliveries of each hook named, at most as many as its slots, and puts their due time off by the lease: should
-- the claimer die, they come due again. What is picked becomes an array, which is made once, and looked up by the primary key however many
-- rows the planner expects: joined, a long backlog would be scanned for it. Due is what is before now(), which bounds the index scan as
-- clock_timestamp() cannot: retries of tomorrow are not read.
-- name: ClaimDeliveries :many
-- system: the dispatcher delivers for all accounts.
WITH picked AS (
    SELECT c.id
    FROM unnest(@hook_ids::uuid[]) WITH ORDINALITY AS u (hook_id, o)
    JOIN hook h ON h.id = u.hook_id AND h.active
    CROSS JOIN LATERAL (
        SELECT x.id FROM delivery x
        WHERE x.hook_id = h.id AND x.state = 'pending' AND x.due_at IS NOT NULL AND x.due_at <= now()
        ORDER BY x.due_at LIMIT (@slots::integer[])[u.o]
        FOR UPDATE SKIP LOCKED
    ) c
)
UPDATE delivery d SET claim = @claim::uuid, due_at = clock_timestamp() + make_interval(secs => @lease::float8)
FROM hook h
WHERE d.id = ANY (ARRAY(SELECT p.id FROM picked p)) AND h.id = d.hook_id
RETURNING d.id, d.hook_id, d.item_id, d.change_id, d.position, d.attempts, h.url, h.secret;

-- WriteResults records what came of deliveries, where the claim still holds, and how their hooks fare. A wait is in seconds, and only counts
-- while pending. Of a hook it is noted at most once a second that it works, or fails, unless it did otherwise before; and a hook whose row
-- somebody holds is passed over: bookkeeping waits for nobody.
-- name: WriteResults :many
-- system: as ClaimDeliveries.
WITH written AS (
UPDATE delivery d SET state = r.state, claim = NULL, attempts = d.attempts + r.tries,
    due_at = CASE WHEN r.state = 'pending' THEN clock_timestamp() + make_interval(secs => r.wait) END,
    last_status = CASE WHEN r.tries = 0 THEN d.last_status ELSE nullif(r.status, 0) END,
    last_error = CASE WHEN r.tries = 0 THEN d.last_error ELSE nullif(r.error, '') END,
    finished_at = CASE WHEN r.state <> 'pending' THEN clock_timestamp() END
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@claims::uuid[]) AS claim, unnest(@states::text[]) AS state, unnest(@tries::integer[]) AS tries,
    unnest(@waits::float8[]) AS wait, unnest(@statuses::integer[]) AS status, unnest(@errors::text[]) AS error) r
WHERE d.id = r.id AND d.claim = r.claim AND d.state = 'pending'
RETURNING d.id, d.hook_id, d.item_id, d.state, r.tries, d.last_error
), told AS (
    SELECT w.hook_id, bool_or(w.state = 'succeeded') AS works, max(w.last_error) FILTER (WHERE w.state <> 'succeeded') AS error
    FROM written w WHERE w.tries > 0 GROUP BY w.hook_id
), noted AS (
    SELECT h.id, c.works, c.fails, t.error
    FROM told t JOIN hook h ON h.id = t.hook_id
    CROSS JOIN LATERAL (SELECT
        t.works AND (h.last_success_at IS NULL OR h.last_success_at <= h.last_failure_at OR h.last_success_at < now() - interval '1 second') AS works,
        t.error IS NOT NULL AND (h.last_failure_at IS NULL OR h.last_failure_at <= h.last_success_at OR h.last_failure_at < now() - interval '1 second') AS fails
    ) c
    WHERE c.works OR c.fails
    FOR NO KEY UPDATE OF h SKIP LOCKED
), hooks AS (
    UPDATE hook h SET last_success_at = CASE WHEN n.works THEN now() ELSE h.last_success_at END,
        last_failure_at = CASE WHEN n.fails THEN now() ELSE h.last_failure_at END,
        last_error = CASE WHEN n.fails THEN n.error ELSE h.last_error END
    FROM noted n WHERE h.id = n.id
)
SELECT id, hook_id, item_id, state FROM written;

-- PromoteNext makes the first delivery of each line named due, if it was parked.
-- name: PromoteNext :many
-- system: as ClaimDeliveries.
UPDATE delivery d SET due_at = clock_timestamp()
FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@item_ids::uuid[]) AS item_id) l
CROSS JOIN LATERAL (
    SELECT x.id FROM delivery x WHERE x.hook_id = l.hook_id AND x.item_id = l.item_id AND x.state = 'pending' ORDER BY x.position LIMIT 1
) n
WHERE d.id = n.id AND d.due_at IS NULL
RETURNING d.hook_id;

-- DisableHook makes a hook inactive, for a reason that its owner sees.
-- name: DisableHook :execrows
-- system: as ClaimDeliveries.
UPDATE hook SET active = false, disabled_reason = @reason::text, updated_at = now() WHERE id = @id AND active;

-- name: FailPending :exec
-- system: as ClaimDeliveries.
UPDATE delivery SET state = 'failed', due_at = NULL, claim = NULL, last_error = @reason::text, finished_at = clock_timestamp()
WHERE hook_id = @hook_id AND state = 'pending';

-- DueHooks says of each active hook with pending deliveries in how many seconds the next is due; below zero: since when.
-- name: DueHooks :many
-- system: as ClaimDeliveries.
SELECT h.id, extract(epoch FROM n.due_at - clock_timestamp())::float8 AS wait
FROM hook h
CROSS JOIN LATERAL (
    SELECT x.due_at FROM delivery x WHERE x.hook_id = h.id AND x.state = 'pending' AND x.due_at IS NOT NULL ORDER BY x.due_at LIMIT 1
) n
WHERE h.active;

-- Backlog counts up to a number that bounds its cost.
-- name: Backlog :one
-- system: operators see all accounts.
SELECT count(*) FROM (SELECT FROM delivery WHERE state = 'pending' LIMIT 100000) p;

-- DoneBefore is the last position before which no delivery is pending.
-- name: DoneBefore :one
-- system: the log is kept for the deliveries of all accounts.
SELECT coalesce(min(position) - 1, 9223372036854775807)::bigint AS position FROM delivery WHERE state = 'pending';
