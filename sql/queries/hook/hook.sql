-- InsertHook notes exactly which changes came before the hook: those with a position, and those that the same snapshot shows without one.
-- ORDER BY … LIMIT keeps the look-up on the index of ids, as in the sequencer.
-- An account has no more of them than most.
-- name: InsertHook :execrows
INSERT INTO hook (id, account_id, url, description, events, filter, changed_fields, headers, body, rate_limit, max_in_flight, active, secret,
    after_position, after_changes)
SELECT CAST(@id AS uuid), CAST(@account_id AS uuid), CAST(@url AS text), CAST(@description AS text), CAST(@events AS text[]),
    CAST(sqlc.narg('filter') AS jsonb), CAST(sqlc.narg('changed_fields') AS text[]), CAST(@headers AS jsonb), CAST(@body AS text),
    CAST(sqlc.narg('rate_limit') AS integer), CAST(sqlc.narg('max_in_flight') AS integer), CAST(@active AS boolean), CAST(@secret AS text), h.position,
    ARRAY(SELECT f.id FROM item_change f WHERE f.id > h.scanned_to ORDER BY f.id LIMIT 10000)
        || ARRAY(SELECT g.id FROM item_change g WHERE g.id = ANY (h.gaps))
FROM (SELECT position, scanned_to, gaps FROM feed_head ORDER BY step DESC LIMIT 1) h
WHERE (SELECT count(*) FROM hook o WHERE o.account_id = @account_id) < @most::bigint;

-- ListHooks counts what is pending up to a number that bounds its cost; so does GetHook.
-- name: ListHooks :many
SELECT id, url, description, events, filter, changed_fields, headers, body, rate_limit, max_in_flight, active, disabled_reason, old_secret_until,
    last_success_at, last_failure_at, failing_since, last_error, created_at, updated_at,
    (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.hook_id = hook.id LIMIT 1000) p) AS pending
FROM hook
WHERE hook.account_id = @account_id AND hook.deleted_at IS NULL
    AND (sqlc.narg('before_id')::uuid IS NULL OR hook.id < sqlc.narg('before_id')::uuid)
ORDER BY id DESC LIMIT @max_rows;

-- name: GetHook :one
SELECT id, url, description, events, filter, changed_fields, headers, body, rate_limit, max_in_flight, active, disabled_reason, old_secret_until,
    last_success_at, last_failure_at, failing_since, last_error, created_at, updated_at,
    (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.hook_id = hook.id LIMIT 1000) p) AS pending
FROM hook WHERE hook.account_id = @account_id AND hook.id = @id AND hook.deleted_at IS NULL;

-- HookForUpdate is for who changes it.
-- name: HookForUpdate :one
SELECT id, url, description, events, filter, changed_fields, headers, body, rate_limit, max_in_flight, active, secret
FROM hook WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL FOR NO KEY UPDATE;

-- UpdateHook takes what Itemcast has noted of it away when it becomes active again: it begins anew.
-- name: UpdateHook :exec
UPDATE hook SET url = @url, description = @description, events = @events, filter = sqlc.narg('filter'), changed_fields = sqlc.narg('changed_fields'),
    headers = @headers, body = @body, rate_limit = sqlc.narg('rate_limit'), max_in_flight = sqlc.narg('max_in_flight'), active = @active,
    disabled_reason = CASE WHEN @active THEN NULL ELSE disabled_reason END,
    failing_since = CASE WHEN @active AND NOT active THEN NULL ELSE failing_since END, updated_at = now()
WHERE account_id = @account_id AND id = @id;

-- RotateSecret keeps the secret that was, for a day.
-- name: RotateSecret :one
UPDATE hook SET old_secret = secret, old_secret_until = now() + make_interval(secs => @keep_for::float8), secret = @secret, updated_at = now()
WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL
RETURNING old_secret_until;

-- DeleteHook makes it invisible and inactive; its row goes when nothing of it is pending any more.
-- name: DeleteHook :one
UPDATE hook SET deleted_at = now(), active = false WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL RETURNING url;

-- SendingTo is what a request to a hook needs, for one by hand.
-- name: SendingTo :one
SELECT id, url, secret, coalesce(CASE WHEN old_secret_until > now() THEN old_secret END, '')::text AS old_secret, headers, body
FROM hook WHERE account_id = @account_id AND id = @id AND deleted_at IS NULL;

-- HooksWanting are the active hooks that ask for any of the events, with what else they ask.
-- name: HooksWanting :many
SELECT id, filter, updated_at FROM hook WHERE account_id = @account_id AND active AND events && @events::text[] ORDER BY id;

-- LockLines is held by whoever puts deliveries into lines or takes them out, until its transaction ends: otherwise a delivery could be
-- parked behind one that is just being finished, and nobody would promote it.
-- name: LockLines :exec
-- system: lines of all accounts change hands under one lock.
SELECT pg_advisory_xact_lock(hashtext('itemcast hook lines'));

-- CommitLater has the transaction's COMMIT not wait for the disk. Should Postgres die, the last of what was committed so is undone, as a whole
-- and in order: what was sent is sent again, with the same ids.
-- name: CommitLater :exec
-- system: of the transaction.
SELECT set_config('synchronous_commit', 'off', true);

-- name: ActiveHooksOf :many
-- system: a batch of the log is of many accounts; each hook is matched only with its own account's changes.
SELECT id, account_id, url, secret, coalesce(CASE WHEN old_secret_until > now() THEN old_secret END, '')::text AS old_secret, headers, events, filter,
    changed_fields, body, rate_limit, max_in_flight, after_position, after_changes, updated_at
FROM hook WHERE active AND account_id = ANY (@account_ids::uuid[]);

-- BusyLines are those of the lines in which something is pending.
-- name: BusyLines :many
-- system: as LockLines.
SELECT l.hook_id::uuid AS hook_id, l.item_id::uuid AS item_id
FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@item_ids::uuid[]) AS item_id) l
WHERE (SELECT p.position FROM delivery p WHERE p.hook_id = l.hook_id AND p.item_id = l.item_id LIMIT 1) IS NOT NULL;

-- InsertDeliveries makes due what is first in its line, given that it is the first of the batch, and parks the rest. What
-- direct sending has in flight is claimed. It returns the hooks that have something due by it. The look for the line's head
-- is a sub-select with LIMIT and not EXISTS, which a plan may turn into a hash of all that is pending.
-- name: InsertDeliveries :many
-- system: each row names the account of its hook.
WITH inserted AS (
    INSERT INTO delivery (hook_id, position, id, account_id, item_id, change_id, revision, kind, thin, due_at, claim, claimed_to, node)
    SELECT n.hook_id, n.position, n.id, n.account_id, n.item_id, n.change_id, n.revision, n.kind, n.thin,
        CASE WHEN e.leads THEN clock_timestamp() END,
        CASE WHEN e.leads AND n.claimed THEN @claim::uuid END,
        CASE WHEN e.leads AND n.claimed THEN clock_timestamp() + make_interval(secs => @lease::float8) END,
        CASE WHEN e.leads AND n.claimed THEN @node::integer END
    FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@positions::bigint[]) AS position, unnest(@ids::uuid[]) AS id,
        unnest(@account_ids::uuid[]) AS account_id, unnest(@item_ids::uuid[]) AS item_id, unnest(@change_ids::bigint[]) AS change_id,
        unnest(@revisions::bigint[]) AS revision, unnest(@kinds::text[]) AS kind, unnest(@thins::boolean[]) AS thin,
        unnest(@firsts::boolean[]) AS first, unnest(@claimeds::boolean[]) AS claimed) n
    CROSS JOIN LATERAL (SELECT n.first AND (
        SELECT p.position FROM delivery p WHERE p.hook_id = n.hook_id AND p.item_id = n.item_id LIMIT 1
    ) IS NULL AS leads) e
    ON CONFLICT (hook_id, position) DO NOTHING
    RETURNING hook_id, due_at, claim
)
SELECT DISTINCT i.hook_id FROM inserted i WHERE i.due_at IS NOT NULL AND i.claim IS NULL;

-- ResendDeliveries is InsertDeliveries for what is asked for again: attempts are numbered on, and the schedule begins anew. What is pending
-- stays as it is.
-- name: ResendDeliveries :many
-- system: each row names the account of its hook.
WITH asked AS (
    SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@positions::bigint[]) AS position, unnest(@ids::uuid[]) AS id,
        unnest(@account_ids::uuid[]) AS account_id, unnest(@item_ids::uuid[]) AS item_id, unnest(@change_ids::bigint[]) AS change_id,
        unnest(@revisions::bigint[]) AS revision, unnest(@kinds::text[]) AS kind, unnest(@thins::boolean[]) AS thin, unnest(@firsts::boolean[]) AS first
), added AS (
    INSERT INTO delivery (hook_id, position, id, account_id, item_id, change_id, revision, kind, thin, trigger, attempts, round,
        last_attempt, last_status, last_fault, last_error, created_at, due_at)
    SELECT n.hook_id, n.position, n.id, n.account_id, n.item_id, n.change_id, n.revision, n.kind, n.thin, @trigger::text, coalesce(t.number, 0),
        coalesce(t.number, 0), t.at, t.status, t.fault, t.error, coalesce(t.created_at, now()),
        CASE WHEN n.first AND (
            SELECT p.position FROM delivery p WHERE p.hook_id = n.hook_id AND p.item_id = n.item_id LIMIT 1
        ) IS NULL THEN clock_timestamp() END
    FROM asked n LEFT JOIN LATERAL (
        SELECT a.number, a.at, a.status, a.fault, a.error, a.created_at FROM delivery_attempt a
        WHERE a.hook_id = n.hook_id AND a.position = n.position ORDER BY a.number DESC LIMIT 1
    ) t ON true
    ON CONFLICT (hook_id, position) DO NOTHING
    RETURNING delivery.hook_id, delivery.position
), opened AS (
    UPDATE delivery_attempt o SET closes = false FROM added n WHERE o.hook_id = n.hook_id AND o.position = n.position AND o.closes
)
SELECT hook_id, position FROM added;

-- HastenDelivery makes a delivery due now that waits for a retry.
-- name: HastenDelivery :execrows
UPDATE delivery SET due_at = clock_timestamp(), trigger = @trigger::text, round = attempts
WHERE account_id = @account_id AND hook_id = @hook_id AND position = @position AND claim IS NULL AND due_at IS NOT NULL;

-- ClaimDeliveries takes due deliveries of each hook named that has no limits of its own, at most as many as its slots, for the time of the lease:
-- should the claimer die, they can be claimed again. Due is what is before now(), which bounds the index scan as clock_timestamp() cannot:
-- retries of tomorrow are not read. What is claimed has been due for longest, so that a scan passes over no more than what is in flight.
-- name: ClaimDeliveries :many
-- system: the dispatcher delivers for all accounts.
WITH asked AS (
    SELECT u.hook_id, (@slots::integer[])[u.o] AS slots FROM unnest(@hook_ids::uuid[]) WITH ORDINALITY AS u (hook_id, o)
), picked AS (
    SELECT c.hook_id, c.position
    FROM asked a JOIN hook h ON h.id = a.hook_id AND h.active AND h.rate_limit IS NULL AND h.max_in_flight IS NULL
    CROSS JOIN LATERAL (
        SELECT x.hook_id, x.position FROM delivery x
        WHERE x.hook_id = h.id AND x.due_at <= now() AND (x.claim IS NULL OR x.claimed_to <= now())
        ORDER BY x.due_at LIMIT a.slots
        FOR UPDATE SKIP LOCKED
    ) c
)
UPDATE delivery d SET claim = @claim::uuid, node = @node::integer, claimed_to = clock_timestamp() + make_interval(secs => @lease::float8)
FROM picked p JOIN hook h ON h.id = p.hook_id
WHERE d.hook_id = p.hook_id AND d.position = p.position
RETURNING d.hook_id, d.position, d.id, d.item_id, d.change_id, d.revision, d.kind, d.trigger, d.thin, d.attempts, d.round, h.url, h.secret,
    coalesce(CASE WHEN h.old_secret_until > now() THEN h.old_secret END, '')::text AS old_secret, h.headers, h.rate_limit, h.max_in_flight;

-- LockLimited locks those of the hooks that have limits of their own, until the transaction ends, and returns those that nobody else holds. What
-- is in flight is counted by a statement that begins after that, and so sees what the last to hold the lock has claimed.
-- name: LockLimited :many
-- system: as ClaimDeliveries.
SELECT h.id FROM hook h WHERE h.id = ANY (@ids::uuid[]) AND h.active AND (h.rate_limit IS NOT NULL OR h.max_in_flight IS NOT NULL)
FOR NO KEY UPDATE SKIP LOCKED;

-- ClaimLimited is ClaimDeliveries for hooks that are locked by LockLimited. The rate is a bucket that leaks (GCRA): paced_to is when what was
-- sent is paid for, and at most a quarter of a second, or one request, is saved up.
-- name: ClaimLimited :many
-- system: as ClaimDeliveries.
WITH limited AS (
    SELECT h.id, (@slots::integer[])[u.o] AS slots, h.rate_limit, h.max_in_flight,
        greatest(h.paced_to, now() - make_interval(secs => greatest(1.0 / h.rate_limit, 0.25)::float8)) AS paced_to
    FROM unnest(@hook_ids::uuid[]) WITH ORDINALITY AS u (hook_id, o) JOIN hook h ON h.id = u.hook_id
), allowed AS (
    SELECT l.id, greatest(0, least(l.slots,
        l.max_in_flight - (SELECT count(*) FROM (
                SELECT x.claimed_to FROM delivery x WHERE x.hook_id = l.id AND x.due_at <= now() ORDER BY x.due_at LIMIT 256) f
            WHERE f.claimed_to > now())::integer,
        CASE WHEN l.rate_limit IS NOT NULL THEN floor(extract(epoch FROM now() - l.paced_to) * l.rate_limit + 0.001)::integer END)) AS slots -- paced_to is rounded to the microsecond
    FROM limited l
), picked AS (
    SELECT c.hook_id, c.position
    FROM allowed w
    CROSS JOIN LATERAL (
        SELECT x.hook_id, x.position FROM delivery x
        WHERE x.hook_id = w.id AND x.due_at <= now() AND (x.claim IS NULL OR x.claimed_to <= now())
        ORDER BY x.due_at, x.position LIMIT w.slots
        FOR UPDATE SKIP LOCKED
    ) c
), paced AS (
    UPDATE hook h SET paced_to = l.paced_to + make_interval(secs => n.picked::float8 / l.rate_limit)
    FROM limited l JOIN (SELECT p.hook_id, count(*) AS picked FROM picked p GROUP BY p.hook_id) n ON n.hook_id = l.id
    WHERE h.id = l.id AND l.rate_limit IS NOT NULL
)
UPDATE delivery d SET claim = @claim::uuid, node = @node::integer, claimed_to = clock_timestamp() + make_interval(secs => @lease::float8)
FROM picked p JOIN hook h ON h.id = p.hook_id
WHERE d.hook_id = p.hook_id AND d.position = p.position
RETURNING d.hook_id, d.position, d.id, d.item_id, d.change_id, d.revision, d.kind, d.trigger, d.thin, d.attempts, d.round, h.url, h.secret,
    coalesce(CASE WHEN h.old_secret_until > now() THEN h.old_secret END, '')::text AS old_secret, h.headers, h.rate_limit, h.max_in_flight;

-- SettleDeliveries takes deliveries out of the queue that are done with, makes the next of their lines due, and puts the others off, where the
-- claim still holds; it returns those that it counts for, and whether their hook has something due by it. A wait is in seconds. One that is
-- returned was not attempted.
-- name: SettleDeliveries :many
-- system: as ClaimDeliveries.
WITH results AS (
    SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@positions::bigint[]) AS position, unnest(@claims::uuid[]) AS claim,
        unnest(@outcomes::text[]) AS outcome, unnest(@waits::float8[]) AS wait, unnest(@ats::timestamptz[]) AS at,
        unnest(@statuses::integer[]) AS status, unnest(@faults::text[]) AS fault, unnest(@errors::text[]) AS error
), done AS (
    DELETE FROM delivery d USING results r
    WHERE d.hook_id = r.hook_id AND d.position = r.position AND d.claim = r.claim AND r.outcome IN ('succeeded', 'failed')
    RETURNING d.hook_id, d.position, d.id, d.account_id, d.item_id, d.change_id, d.revision, d.kind, d.created_at, d.attempts + 1 AS number
), later AS (
    UPDATE delivery d SET claim = NULL, claimed_to = NULL, node = NULL, due_at = clock_timestamp() + make_interval(secs => r.wait),
        attempts = d.attempts + CASE WHEN r.outcome = 'retry' THEN 1 ELSE 0 END,
        last_attempt = CASE WHEN r.outcome = 'retry' THEN r.at ELSE d.last_attempt END,
        last_status = CASE WHEN r.outcome = 'retry' THEN nullif(r.status, 0) ELSE d.last_status END,
        last_fault = CASE WHEN r.outcome = 'retry' THEN nullif(r.fault, '') ELSE d.last_fault END,
        last_error = CASE WHEN r.outcome = 'retry' THEN nullif(r.error, '') ELSE d.last_error END
    FROM results r
    WHERE d.hook_id = r.hook_id AND d.position = r.position AND d.claim = r.claim AND r.outcome IN ('retry', 'returned')
    RETURNING d.hook_id, d.position, d.id, d.account_id, d.item_id, d.change_id, d.revision, d.kind, d.created_at, d.attempts AS number
), promoted AS (
    UPDATE delivery d SET due_at = clock_timestamp()
    FROM done f CROSS JOIN LATERAL (
        SELECT x.hook_id, x.position FROM delivery x
        WHERE x.hook_id = f.hook_id AND x.item_id = f.item_id AND x.position <> f.position ORDER BY x.position LIMIT 1
    ) n
    WHERE d.hook_id = n.hook_id AND d.position = n.position AND d.due_at IS NULL
    RETURNING d.hook_id
)
SELECT w.*, (w.hook_id IN (SELECT p.hook_id FROM promoted p))::boolean AS more FROM (SELECT * FROM done UNION ALL SELECT * FROM later) w;

-- LogAttempts passes over what lies below the log's floor, where there is no partition any more.
-- name: LogAttempts :exec
-- system: each row names the account of its hook.
INSERT INTO delivery_attempt (position, hook_id, number, delivery_id, account_id, item_id, change_id, revision, kind, trigger, created_at, at, took,
    outcome, closes, status, response, fault, error)
SELECT a.position, a.hook_id, a.number, a.delivery_id, a.account_id, a.item_id, a.change_id, a.revision, a.kind, a.trigger, a.created_at, a.at, a.took,
    a.outcome, a.outcome <> 'retry', nullif(a.status, 0), nullif(a.response, ''), nullif(a.fault, ''), nullif(a.error, '')
FROM (SELECT unnest(@positions::bigint[]) AS position, unnest(@hook_ids::uuid[]) AS hook_id, unnest(@numbers::integer[]) AS number,
    unnest(@ids::uuid[]) AS delivery_id, unnest(@account_ids::uuid[]) AS account_id, unnest(@item_ids::uuid[]) AS item_id,
    unnest(@change_ids::bigint[]) AS change_id, unnest(@revisions::bigint[]) AS revision, unnest(@kinds::text[]) AS kind,
    unnest(@triggers::text[]) AS trigger, unnest(@created_ats::timestamptz[]) AS created_at, unnest(@ats::timestamptz[]) AS at,
    unnest(@tooks::integer[]) AS took, unnest(@outcomes::text[]) AS outcome, unnest(@statuses::integer[]) AS status,
    unnest(@responses::text[]) AS response, unnest(@faults::text[]) AS fault, unnest(@errors::text[]) AS error) a
WHERE a.position > (SELECT f.floor FROM feed f)
ON CONFLICT DO NOTHING;

-- NoteHealth notes how hooks fare: of each at most once a second that it works, or fails ('': it does not), unless it did otherwise before. A
-- hook whose row somebody holds is passed over: bookkeeping waits for nobody.
-- name: NoteHealth :exec
-- system: as ClaimDeliveries.
WITH told AS (
    SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@works::boolean[]) AS works, unnest(@errors::text[]) AS error
), noted AS (
    SELECT h.id, c.works, c.fails, t.error
    FROM told t JOIN hook h ON h.id = t.hook_id
    CROSS JOIN LATERAL (SELECT
        t.works AND (h.last_success_at IS NULL OR h.last_success_at <= h.last_failure_at OR h.last_success_at < now() - interval '1 second') AS works,
        t.error <> '' AND (h.last_failure_at IS NULL OR h.last_failure_at <= h.last_success_at OR h.last_failure_at < now() - interval '1 second') AS fails
    ) c
    WHERE c.works OR c.fails
    FOR NO KEY UPDATE OF h SKIP LOCKED
)
UPDATE hook h SET last_success_at = CASE WHEN n.works THEN now() ELSE h.last_success_at END,
    last_failure_at = CASE WHEN n.fails THEN now() ELSE h.last_failure_at END,
    failing_since = CASE WHEN n.works THEN NULL WHEN n.fails THEN coalesce(h.failing_since, now()) END,
    last_error = CASE WHEN n.fails THEN n.error ELSE h.last_error END
FROM noted n WHERE h.id = n.id;

-- PromoteNext makes the first delivery of each line named due, if it was parked.
-- name: PromoteNext :many
-- system: as ClaimDeliveries.
UPDATE delivery d SET due_at = clock_timestamp()
FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@item_ids::uuid[]) AS item_id) l
CROSS JOIN LATERAL (
    SELECT x.hook_id, x.position FROM delivery x WHERE x.hook_id = l.hook_id AND x.item_id = l.item_id ORDER BY x.position LIMIT 1
) n
WHERE d.hook_id = n.hook_id AND d.position = n.position AND d.due_at IS NULL
RETURNING d.hook_id;

-- TakeOver takes the claims off that nodes have which are not alive: none holds the lock of its number.
-- name: TakeOver :many
-- system: as ClaimDeliveries.
WITH dead AS (
    SELECT c.hook_id, c.position
    FROM hook h
    CROSS JOIN LATERAL (
        SELECT x.hook_id, x.position FROM delivery x
        WHERE x.hook_id = h.id AND x.due_at <= now() AND x.claim IS NOT NULL AND x.node <> ALL (@alive::integer[])
        FOR UPDATE SKIP LOCKED
    ) c
    WHERE h.active
)
UPDATE delivery d SET claim = NULL, claimed_to = NULL, node = NULL
FROM dead n WHERE d.hook_id = n.hook_id AND d.position = n.position
RETURNING d.hook_id;

-- HoldPresence tells the other nodes, for as long as its connection lasts, that the node of a number is alive.
-- name: HoldPresence :one
-- system: of the node.
SELECT pg_try_advisory_lock(hashtext('itemcast hook node'), @node::integer) AS held;

-- name: NodesAlive :many
-- system: as HoldPresence.
SELECT a.node::integer AS node FROM hook_nodes_alive() a;

-- DisableHook makes a hook inactive, for a reason that its owner sees.
-- name: DisableHook :one
-- system: as ClaimDeliveries.
UPDATE hook SET active = false, disabled_reason = @reason::text, updated_at = now() WHERE id = @id AND active RETURNING account_id;

-- DisableFailing makes those of the hooks inactive that have done nothing but fail for so many seconds.
-- name: DisableFailing :many
-- system: as ClaimDeliveries.
UPDATE hook SET active = false, updated_at = now(), disabled_reason = format('Every attempt has failed since %s; the last: %s',
    to_char(failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), last_error)
WHERE id = ANY (@ids::uuid[]) AND active AND failing_since < now() - make_interval(secs => @after::float8)
RETURNING id, account_id, disabled_reason::text AS reason;

-- InactiveHooks are those with something pending, or that are to be deleted.
-- name: InactiveHooks :many
-- system: as ClaimDeliveries.
SELECT h.id, (h.deleted_at IS NOT NULL)::boolean AS deleted, coalesce(h.disabled_reason, 'The hook was made inactive.')::text AS reason
FROM hook h
WHERE NOT h.active AND (h.deleted_at IS NOT NULL OR (SELECT d.position FROM delivery d WHERE d.hook_id = h.id LIMIT 1) IS NOT NULL);

-- FailPending ends deliveries of a hook that is inactive, the newest first, but for those that are being sent. It returns of each the item if
-- it led a line: what was asked for again may wait behind something newer.
-- name: FailPending :many
-- system: as ClaimDeliveries.
WITH gone AS (
    DELETE FROM delivery d USING (
        SELECT x.position FROM delivery x
        WHERE x.hook_id = @hook_id AND (x.claim IS NULL OR x.claimed_to <= now()) AND (SELECT NOT h.active FROM hook h WHERE h.id = @hook_id)
        ORDER BY x.position DESC LIMIT @batch FOR UPDATE SKIP LOCKED
    ) n
    WHERE d.hook_id = @hook_id AND d.position = n.position
    RETURNING d.*
), logged AS (
    INSERT INTO delivery_attempt (position, hook_id, number, delivery_id, account_id, item_id, change_id, revision, kind, trigger, created_at, at,
        outcome, closes, fault, error)
    SELECT g.position, g.hook_id, g.attempts + 1, g.id, g.account_id, g.item_id, g.change_id, g.revision, g.kind,
        coalesce(g.trigger, (SELECT c.trigger FROM item_change c WHERE c.id = g.change_id), 'hook'), g.created_at,
        clock_timestamp(), 'failed', true, 'inactive', @reason::text
    FROM gone g WHERE g.position > (SELECT f.floor FROM feed f)
)
SELECT g.item_id, (g.due_at IS NOT NULL)::boolean AS led FROM gone g;

-- DropPending is FailPending for a hook that nobody will ask of any more.
-- name: DropPending :execrows
-- system: as ClaimDeliveries.
DELETE FROM delivery d USING (
    SELECT x.position FROM delivery x WHERE x.hook_id = @hook_id AND (x.claim IS NULL OR x.claimed_to <= now()) ORDER BY x.position DESC LIMIT @batch
    FOR UPDATE SKIP LOCKED
) n
WHERE d.hook_id = @hook_id AND d.position = n.position;

-- name: ForgetHook :execrows
-- system: as ClaimDeliveries.
DELETE FROM hook h WHERE h.id = @id AND h.deleted_at < now() - interval '5 seconds' AND (SELECT d.position FROM delivery d WHERE d.hook_id = h.id LIMIT 1) IS NULL;

-- DueHooks says of each active hook with pending deliveries in how many seconds the next is due; below zero: since when.
-- name: DueHooks :many
-- system: as ClaimDeliveries.
SELECT h.id, (h.rate_limit IS NOT NULL OR h.max_in_flight IS NOT NULL)::boolean AS limited, extract(epoch FROM n.due_at - clock_timestamp())::float8 AS wait
FROM hook h
CROSS JOIN LATERAL (
    SELECT x.due_at FROM delivery x WHERE x.hook_id = h.id AND x.due_at IS NOT NULL AND (x.claim IS NULL OR x.claimed_to <= now())
    ORDER BY x.due_at LIMIT 1
) n
WHERE h.active;

-- Backlog counts up to a number that bounds its cost.
-- name: Backlog :one
-- system: operators see all accounts.
SELECT count(*) FROM (SELECT FROM delivery LIMIT 100000) p;

-- DoneBefore is the last position before which no delivery is pending, and no replay has still to look.
-- name: DoneBefore :one
-- system: the log is kept for the deliveries of all accounts.
SELECT least(
    (SELECT coalesce(min(n.position) - 1, 9223372036854775807)
     FROM hook h CROSS JOIN LATERAL (SELECT d.position FROM delivery d WHERE d.hook_id = h.id ORDER BY d.position LIMIT 1) n),
    (SELECT coalesce(min(r.position), 9223372036854775807) FROM hook_replay r WHERE r.ended_at IS NULL)
)::bigint AS position;

-- PendingDeliveries and the queries of what has ended are the halves of the delivery log: the newest changes first, from before a place on.
-- name: PendingDeliveries :many
SELECT d.id, d.hook_id, d.item_id, d.position, d.revision, d.kind, coalesce(d.trigger, c.trigger, 'hook')::text AS trigger, d.attempts,
    d.due_at, coalesce(d.claimed_to > now(), false)::boolean AS claimed, d.last_attempt, d.last_status, d.last_fault, d.last_error, d.created_at, c.occurred_at
FROM hook h
CROSS JOIN LATERAL (
    SELECT * FROM delivery x
    WHERE x.hook_id = h.id AND x.position <= @before_position::bigint AND x.position > @after_position::bigint
        AND (x.position < @before_position::bigint OR x.hook_id < @before_hook::uuid)
        AND (sqlc.narg('item_id')::uuid IS NULL OR x.item_id = sqlc.narg('item_id')::uuid)
    ORDER BY x.position DESC LIMIT @max_rows::integer
) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- name: EndedDeliveries :many
SELECT d.delivery_id AS id, d.hook_id, d.item_id, d.position, d.revision, d.kind, d.trigger, d.number, d.at, d.took, d.outcome, d.status, d.fault,
    d.error, d.created_at, c.occurred_at
FROM hook h
CROSS JOIN LATERAL (
    SELECT * FROM delivery_attempt x
    WHERE x.hook_id = h.id AND x.closes AND x.position <= @before_position::bigint AND x.position > @after_position::bigint
        AND (x.position < @before_position::bigint OR x.hook_id < @before_hook::uuid)
        AND (sqlc.narg('outcome')::text IS NULL OR x.outcome = sqlc.narg('outcome')::text)
    ORDER BY x.position DESC LIMIT @max_rows::integer
) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- FailedDeliveries is EndedDeliveries of one outcome, which has an index of its own: few fail.
-- name: FailedDeliveries :many
SELECT d.delivery_id AS id, d.hook_id, d.item_id, d.position, d.revision, d.kind, d.trigger, d.number, d.at, d.took, d.outcome, d.status, d.fault,
    d.error, d.created_at, c.occurred_at
FROM hook h
CROSS JOIN LATERAL (
    SELECT * FROM delivery_attempt x
    WHERE x.hook_id = h.id AND x.closes AND x.outcome = 'failed' AND x.position <= @before_position::bigint AND x.position > @after_position::bigint
        AND (x.position < @before_position::bigint OR x.hook_id < @before_hook::uuid)
    ORDER BY x.position DESC LIMIT @max_rows::integer
) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- EndedDeliveriesOfItem goes by the item's own history: an attempt is found by its hook and position.
-- name: EndedDeliveriesOfItem :many
SELECT d.delivery_id AS id, d.hook_id, d.item_id, d.position, d.revision, d.kind, d.trigger, d.number, d.at, d.took, d.outcome, d.status, d.fault,
    d.error, d.created_at, c.occurred_at
FROM item_change c
CROSS JOIN LATERAL (SELECT p.position FROM item_position p WHERE p.change_id = c.id LIMIT 1) p
CROSS JOIN hook h
JOIN delivery_attempt d ON d.hook_id = h.id AND d.position = p.position AND d.closes
WHERE c.account_id = @account_id AND c.item_id = @item_id AND h.account_id = @account_id AND h.deleted_at IS NULL
    AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
    AND (sqlc.narg('outcome')::text IS NULL OR d.outcome = sqlc.narg('outcome')::text)
    AND d.position <= @before_position::bigint AND d.position > @after_position::bigint
    AND (d.position < @before_position::bigint OR d.hook_id < @before_hook::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- PendingDelivery finds a delivery by its id, which tells its position.
-- name: PendingDelivery :one
SELECT d.id, d.hook_id, d.item_id, d.position, d.revision, d.kind, coalesce(d.trigger, c.trigger, 'hook')::text AS trigger, d.attempts,
    d.due_at, coalesce(d.claimed_to > now(), false)::boolean AS claimed, d.last_attempt, d.last_status, d.last_fault, d.last_error, d.created_at, c.occurred_at
FROM hook h
CROSS JOIN LATERAL (SELECT * FROM delivery x WHERE x.hook_id = h.id AND x.position = @position AND x.id = @id) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL;

-- AttemptsOf reads the attempts of a delivery, the last hundred of them.
-- name: AttemptsOf :many
SELECT a.delivery_id, a.hook_id, a.item_id, a.change_id, a.position, a.revision, a.kind, a.trigger, a.created_at, a.number, a.at, a.took, a.outcome, a.closes,
    a.status, a.response, a.fault, a.error, c.occurred_at
FROM hook h CROSS JOIN LATERAL (
    SELECT * FROM delivery_attempt x WHERE x.hook_id = h.id AND x.position = @position AND x.delivery_id = @id ORDER BY x.number DESC LIMIT 100
) a
LEFT JOIN item_change c ON c.id = a.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL
ORDER BY a.number;

-- BeginReplay takes the place of one that has ended.
-- name: BeginReplay :execrows
INSERT INTO hook_replay (hook_id, account_id, id, position, from_position, to_position, since, rate)
VALUES (@hook_id, @account_id, @id, @position, @position, @to_position, sqlc.narg('since'), @rate)
ON CONFLICT (hook_id) DO UPDATE SET id = EXCLUDED.id, position = EXCLUDED.position, from_position = EXCLUDED.from_position,
    to_position = EXCLUDED.to_position, since = EXCLUDED.since, rate = EXCLUDED.rate, deliveries = 0, due_at = now(), started_at = now(),
    ended_at = NULL, error = NULL
WHERE hook_replay.ended_at IS NOT NULL;

-- name: GetReplay :one
SELECT r.* FROM hook_replay r JOIN hook h ON h.id = r.hook_id
WHERE r.account_id = @account_id AND r.hook_id = @hook_id AND h.deleted_at IS NULL;

-- name: StopReplay :execrows
UPDATE hook_replay SET ended_at = now(), error = 'It was stopped by hand.' WHERE account_id = @account_id AND hook_id = @hook_id AND ended_at IS NULL;

-- DueReplay locks the replay that has waited longest, if one is due, with the hook that it is for.
-- name: DueReplay :one
-- system: as ClaimDeliveries.
SELECT r.hook_id, r.account_id, r.position, r.to_position, r.since, r.rate, h.active, h.events, h.filter, h.changed_fields, h.body, h.updated_at,
    (SELECT count(*) FROM (SELECT FROM delivery d WHERE d.hook_id = r.hook_id LIMIT @most::integer) p)::integer AS pending
FROM hook_replay r JOIN hook h ON h.id = r.hook_id
WHERE r.ended_at IS NULL AND r.due_at <= now() ORDER BY r.due_at LIMIT 1 FOR NO KEY UPDATE OF r SKIP LOCKED;

-- name: AdvanceReplay :exec
-- system: as ClaimDeliveries.
UPDATE hook_replay SET position = @position, deliveries = deliveries + @made, due_at = now() + make_interval(secs => @pause::float8),
    ended_at = CASE WHEN @ended::boolean THEN now() END, error = sqlc.narg('error')::text
WHERE hook_id = @hook_id;

-- ReplayableTo is up to where a hook has been sent what it asks for, or is being sent it, or will not be, since it came before the hook.
-- name: ReplayableTo :one
SELECT greatest(h.after_position, (SELECT max(c.position) FROM consumer_position c WHERE c.consumer = 'hook'))::bigint AS position
FROM hook h WHERE h.account_id = @account_id AND h.id = @id;

-- name: ChangesByID :many
-- system: deliveries of all accounts are made.
SELECT id, account_id, item_id, revision, kind, changed_fields, previous, actor, trigger, targets, document, occurred_at
FROM item_change WHERE id = ANY (@ids::bigint[]);
