-- LockGroups serializes the transactions that add deliveries to groups, or remove them. Without it a delivery could
-- be parked behind one that is removed at the same time, and nothing would promote it.
-- name: LockGroups :exec
-- system: one lock for the groups of all accounts. Its name must not change: nodes of two builds exclude each other.
SELECT pg_advisory_xact_lock(hashtext('itemcast hook lines'));

-- CommitLater makes COMMIT return before the disk has the transaction. If Postgres dies, the last transactions
-- committed in this way are undone, as a whole and in order, and their deliveries are sent again under the same ids.
-- name: CommitLater :exec
-- system: a setting of the transaction.
SELECT set_config('synchronous_commit', 'off', true);

-- BusyGroups returns the groups that have a pending delivery.
-- name: BusyGroups :many
-- system: as LockGroups.
SELECT l.hook_id::uuid AS hook_id, l.item_id::uuid AS item_id
FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@item_ids::uuid[]) AS item_id) l
WHERE (SELECT p.position FROM delivery p WHERE p.hook_id = l.hook_id AND p.item_id = l.item_id LIMIT 1) IS NOT NULL;

-- InsertDeliveries makes a delivery due when it is the first of its group in the batch and nothing of the group is
-- pending. It parks the other deliveries. The deliveries that direct sending has in flight are claimed. It returns the
-- hooks that now have due deliveries. The search for the head of a group is a sub-select with LIMIT, because a plan
-- may turn EXISTS into a hash of all pending deliveries.
-- name: InsertDeliveries :many
-- system: each row names the account of its hook.
WITH inserted AS (
    INSERT INTO delivery (hook_id, position, id, account_id, item_id, change_id, revision, kind, thin, due_at, claim,
        claimed_to, node)
    SELECT n.hook_id, n.position, n.id, n.account_id, n.item_id, n.change_id, n.revision, n.kind, n.thin,
        CASE WHEN e.leads THEN clock_timestamp() END,
        CASE WHEN e.leads AND n.claimed THEN @claim::uuid END,
        CASE WHEN e.leads AND n.claimed THEN clock_timestamp() + make_interval(secs => @lease::float8) END,
        CASE WHEN e.leads AND n.claimed THEN @node::integer END
    FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@positions::bigint[]) AS position,
        unnest(@ids::uuid[]) AS id, unnest(@account_ids::uuid[]) AS account_id, unnest(@item_ids::uuid[]) AS item_id,
        unnest(@change_ids::bigint[]) AS change_id, unnest(@revisions::bigint[]) AS revision,
        unnest(@kinds::text[]) AS kind, unnest(@thins::boolean[]) AS thin, unnest(@firsts::boolean[]) AS first,
        unnest(@claimeds::boolean[]) AS claimed) n
    CROSS JOIN LATERAL (SELECT n.first AND (
        SELECT p.position FROM delivery p WHERE p.hook_id = n.hook_id AND p.item_id = n.item_id LIMIT 1
    ) IS NULL AS leads) e
    ON CONFLICT (hook_id, position) DO NOTHING
    RETURNING hook_id, due_at, claim
)
SELECT DISTINCT i.hook_id FROM inserted i WHERE i.due_at IS NOT NULL AND i.claim IS NULL;

-- ParkLater parks the due deliveries after a position of a group: earlier ones are about to be inserted. It leaves those
-- that are being sent.
-- name: ParkLater :exec
-- system: as LockGroups.
UPDATE delivery d SET due_at = NULL, claim = NULL, claimed_to = NULL, node = NULL
FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@item_ids::uuid[]) AS item_id,
    unnest(@positions::bigint[]) AS position) g
WHERE d.hook_id = g.hook_id AND d.item_id = g.item_id AND d.position > g.position AND d.due_at IS NOT NULL
    AND (d.claim IS NULL OR d.claimed_to <= now());

-- BeingSent returns those of the positions whose deliveries are being sent, and whether an earlier delivery of the group
-- is pending. After ParkLater no other delivery of their groups can be claimed.
-- name: BeingSent :many
-- system: as LockGroups.
SELECT d.position, EXISTS (
    SELECT FROM delivery e WHERE e.hook_id = d.hook_id AND e.item_id = d.item_id AND e.position < d.position
)::boolean AS overtaken
FROM delivery d WHERE d.hook_id = @hook_id AND d.position = ANY (@positions::bigint[]) AND d.claimed_to > now();

-- ResendDeliveries inserts deliveries that were made before, or by a replay, all of them parked: PromoteIdle makes the
-- first of each group due. Attempts continue their numbers, and the retry schedule restarts. Deliveries that are pending
-- stay as they are.
-- name: ResendDeliveries :many
-- system: each row names the account of its hook.
WITH requested AS (
    SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@positions::bigint[]) AS position,
        unnest(@ids::uuid[]) AS id, unnest(@account_ids::uuid[]) AS account_id, unnest(@item_ids::uuid[]) AS item_id,
        unnest(@change_ids::bigint[]) AS change_id, unnest(@revisions::bigint[]) AS revision,
        unnest(@kinds::text[]) AS kind, unnest(@thins::boolean[]) AS thin
), added AS (
    INSERT INTO delivery (hook_id, position, id, account_id, item_id, change_id, revision, kind, thin, trigger,
        attempts, round, last_attempt, last_status, last_fault, last_error, created_at, due_at)
    SELECT n.hook_id, n.position, n.id, n.account_id, n.item_id, n.change_id, n.revision, n.kind, n.thin,
        @trigger::text, coalesce(t.number, 0), coalesce(t.number, 0), t.at, t.status, t.fault, t.error,
        coalesce(t.created_at, now()), NULL
    FROM requested n LEFT JOIN LATERAL (
        SELECT a.number, a.at, a.status, a.fault, a.error, a.created_at FROM delivery_attempt a
        WHERE a.hook_id = n.hook_id AND a.position = n.position ORDER BY a.number DESC LIMIT 1
    ) t ON true
    ON CONFLICT (hook_id, position) DO NOTHING
    RETURNING delivery.hook_id, delivery.position
), opened AS (
    UPDATE delivery_attempt o SET closes = false FROM added n
    WHERE o.hook_id = n.hook_id AND o.position = n.position AND o.closes
)
SELECT hook_id, position FROM added;

-- PromoteIdle makes the first delivery of each group due in which none is.
-- name: PromoteIdle :exec
-- system: as LockGroups.
UPDATE delivery d SET due_at = clock_timestamp()
FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@item_ids::uuid[]) AS item_id) g
CROSS JOIN LATERAL (
    SELECT x.position FROM delivery x WHERE x.hook_id = g.hook_id AND x.item_id = g.item_id ORDER BY x.position LIMIT 1
) n
WHERE d.hook_id = g.hook_id AND d.position = n.position AND d.due_at IS NULL AND (
    SELECT o.position FROM delivery o
    WHERE o.hook_id = g.hook_id AND o.item_id = g.item_id AND o.due_at IS NOT NULL LIMIT 1
) IS NULL;

-- DeliveryAhead returns the delivery that the others of its group wait for: the one that is due or is being sent.
-- name: DeliveryAhead :one
SELECT d.id FROM delivery d
WHERE d.account_id = @account_id AND d.hook_id = @hook_id AND d.item_id = @item_id
ORDER BY d.due_at IS NULL, d.position LIMIT 1;

-- RetryDeliveryNow makes a delivery due that waits for a retry.
-- name: RetryDeliveryNow :execrows
UPDATE delivery SET due_at = clock_timestamp(), trigger = @trigger::text, round = attempts
WHERE account_id = @account_id AND hook_id = @hook_id AND position = @position AND claim IS NULL
    AND due_at IS NOT NULL;

-- ClaimDeliveries claims due deliveries of each hook that has no limits, at most as many as its slots, for the time of
-- the lease. After that other nodes can claim them. "Due" means before now(): now() bounds the index scan, so that
-- later retries are not read, and clock_timestamp() does not. The oldest are claimed first, so a scan skips at most as
-- many rows as are in flight.
-- name: ClaimDeliveries :many
-- system: the dispatcher delivers for all accounts.
WITH requested AS (
    SELECT u.hook_id, (@slots::integer[])[u.o] AS slots
    FROM unnest(@hook_ids::uuid[]) WITH ORDINALITY AS u (hook_id, o)
), picked AS (
    SELECT c.hook_id, c.position
    FROM requested r
    JOIN hook h ON h.id = r.hook_id AND h.active AND h.rate_limit IS NULL AND h.max_in_flight IS NULL
    CROSS JOIN LATERAL (
        SELECT x.hook_id, x.position FROM delivery x
        WHERE x.hook_id = h.id AND x.due_at <= now() AND (x.claim IS NULL OR x.claimed_to <= now())
        ORDER BY x.due_at LIMIT r.slots
        FOR UPDATE SKIP LOCKED
    ) c
)
UPDATE delivery d SET claim = @claim::uuid, node = @node::integer,
    claimed_to = clock_timestamp() + make_interval(secs => @lease::float8)
FROM picked p JOIN hook h ON h.id = p.hook_id
WHERE d.hook_id = p.hook_id AND d.position = p.position
RETURNING d.hook_id, d.position, d.id, d.item_id, d.change_id, d.revision, d.kind, d.trigger, d.thin, d.attempts,
    d.round, h.url, h.secret,
    coalesce(CASE WHEN h.old_secret_until > now() THEN h.old_secret END, '')::text AS old_secret, h.headers,
    h.rate_limit, h.max_in_flight;

-- LockLimited locks the hooks that have limits, and returns those that no other transaction has locked. A later
-- statement of the transaction counts the deliveries in flight, and so sees the claims of the previous lock holder.
-- name: LockLimited :many
-- system: the dispatcher delivers for all accounts.
SELECT h.id FROM hook h
WHERE h.id = ANY (@ids::uuid[]) AND h.active AND (h.rate_limit IS NOT NULL OR h.max_in_flight IS NOT NULL)
FOR NO KEY UPDATE SKIP LOCKED;

-- ClaimLimited is ClaimDeliveries for hooks that LockLimited has locked. The rate is a leaky bucket (GCRA): the
-- requests sent so far use up the rate until paced_to. At most a quarter of a second, or one request, can be saved
-- up.
-- name: ClaimLimited :many
-- system: the dispatcher delivers for all accounts.
WITH limited AS (
    SELECT h.id, (@slots::integer[])[u.o] AS slots, h.rate_limit, h.max_in_flight,
        greatest(h.paced_to, now() - make_interval(secs => greatest(1.0 / h.rate_limit, 0.25)::float8)) AS paced_to
    FROM unnest(@hook_ids::uuid[]) WITH ORDINALITY AS u (hook_id, o) JOIN hook h ON h.id = u.hook_id
), allowed AS (
    SELECT l.id, greatest(0, least(l.slots,
        l.max_in_flight - (SELECT count(*) FROM (
                SELECT x.claimed_to FROM delivery x WHERE x.hook_id = l.id AND x.due_at <= now()
                ORDER BY x.due_at LIMIT 256) f
            WHERE f.claimed_to > now())::integer,
        CASE WHEN l.rate_limit IS NOT NULL
            -- 0.001: paced_to is rounded to the microsecond
            THEN floor(extract(epoch FROM now() - l.paced_to) * l.rate_limit + 0.001)::integer END)) AS slots
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
UPDATE delivery d SET claim = @claim::uuid, node = @node::integer,
    claimed_to = clock_timestamp() + make_interval(secs => @lease::float8)
FROM picked p JOIN hook h ON h.id = p.hook_id
WHERE d.hook_id = p.hook_id AND d.position = p.position
RETURNING d.hook_id, d.position, d.id, d.item_id, d.change_id, d.revision, d.kind, d.trigger, d.thin, d.attempts,
    d.round, h.url, h.secret,
    coalesce(CASE WHEN h.old_secret_until > now() THEN h.old_secret END, '')::text AS old_secret, h.headers,
    h.rate_limit, h.max_in_flight;

-- SettleDeliveries records results, where the claim still holds: it removes finished deliveries from the queue, makes
-- the next of their groups due, and postpones the others. It parks one that would be sent again while an earlier one of
-- its group is pending, which a replay has inserted meanwhile. It returns the deliveries that it has changed, and whether
-- it has made a delivery of the same hook due. A wait is in seconds. A delivery that is returned was not attempted.
-- name: SettleDeliveries :many
-- system: the dispatcher delivers for all accounts.
WITH results AS (
    SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@positions::bigint[]) AS position,
        unnest(@claims::uuid[]) AS claim, unnest(@outcomes::text[]) AS outcome, unnest(@waits::float8[]) AS wait,
        unnest(@ats::timestamptz[]) AS at, unnest(@statuses::integer[]) AS status,
        unnest(@faults::text[]) AS fault, unnest(@errors::text[]) AS error
), done AS (
    DELETE FROM delivery d USING results r
    WHERE d.hook_id = r.hook_id AND d.position = r.position AND d.claim = r.claim
        AND r.outcome IN ('succeeded', 'failed')
    RETURNING d.hook_id, d.position, d.id, d.account_id, d.item_id, d.change_id, d.revision, d.kind, d.created_at,
        d.attempts + 1 AS number, NULL::timestamptz AS due_at
), later AS (
    UPDATE delivery d SET claim = NULL, claimed_to = NULL, node = NULL,
        due_at = CASE WHEN (
            SELECT e.position FROM delivery e
            WHERE e.hook_id = d.hook_id AND e.item_id = d.item_id AND e.position < d.position LIMIT 1
        ) IS NULL THEN clock_timestamp() + make_interval(secs => r.wait) END,
        attempts = d.attempts + CASE WHEN r.outcome = 'retry' THEN 1 ELSE 0 END,
        last_attempt = CASE WHEN r.outcome = 'retry' THEN r.at ELSE d.last_attempt END,
        last_status = CASE WHEN r.outcome = 'retry' THEN nullif(r.status, 0) ELSE d.last_status END,
        last_fault = CASE WHEN r.outcome = 'retry' THEN nullif(r.fault, '') ELSE d.last_fault END,
        last_error = CASE WHEN r.outcome = 'retry' THEN nullif(r.error, '') ELSE d.last_error END
    FROM results r
    WHERE d.hook_id = r.hook_id AND d.position = r.position AND d.claim = r.claim
        AND r.outcome IN ('retry', 'returned')
    RETURNING d.hook_id, d.position, d.id, d.account_id, d.item_id, d.change_id, d.revision, d.kind, d.created_at,
        d.attempts AS number, d.due_at
), settled AS (
    SELECT * FROM done UNION ALL SELECT * FROM later
), promoted AS (
    UPDATE delivery d SET due_at = clock_timestamp()
    FROM settled f CROSS JOIN LATERAL (
        SELECT x.hook_id, x.position FROM delivery x
        WHERE x.hook_id = f.hook_id AND x.item_id = f.item_id AND x.position <> f.position ORDER BY x.position LIMIT 1
    ) n
    WHERE f.due_at IS NULL AND d.hook_id = n.hook_id AND d.position = n.position AND d.due_at IS NULL
    RETURNING d.hook_id
)
SELECT w.*, (w.hook_id IN (SELECT p.hook_id FROM promoted p))::boolean AS more
FROM settled w;

-- PromoteNext makes the first delivery of each group due, if it is parked.
-- name: PromoteNext :many
-- system: the dispatcher delivers for all accounts.
UPDATE delivery d SET due_at = clock_timestamp()
FROM (SELECT unnest(@hook_ids::uuid[]) AS hook_id, unnest(@item_ids::uuid[]) AS item_id) l
CROSS JOIN LATERAL (
    SELECT x.hook_id, x.position FROM delivery x WHERE x.hook_id = l.hook_id AND x.item_id = l.item_id
        ORDER BY x.position LIMIT 1
) n
WHERE d.hook_id = n.hook_id AND d.position = n.position AND d.due_at IS NULL
RETURNING d.hook_id;

-- FailPending ends deliveries of an inactive hook, newest first, except those that are being sent. It returns the
-- item of each, whether the delivery was the head of its group (a redelivery may wait behind a newer delivery), and
-- the task that it was for.
-- name: FailPending :many
-- system: the dispatcher delivers for all accounts.
WITH gone AS (
    DELETE FROM delivery d USING (
        SELECT x.position FROM delivery x
        WHERE x.hook_id = @hook_id AND (x.claim IS NULL OR x.claimed_to <= now())
            AND (SELECT NOT h.active FROM hook h WHERE h.id = @hook_id)
        ORDER BY x.position DESC LIMIT @batch FOR UPDATE SKIP LOCKED
    ) n
    WHERE d.hook_id = @hook_id AND d.position = n.position
    RETURNING d.*
), logged AS (
    INSERT INTO delivery_attempt (position, hook_id, number, delivery_id, account_id, item_id, change_id, revision,
        kind, trigger, created_at, at, outcome, closes, fault, error)
    SELECT g.position, g.hook_id, g.attempts + 1, g.id, g.account_id, g.item_id, g.change_id, g.revision, g.kind,
        coalesce(g.trigger, (SELECT c.trigger FROM item_change c WHERE c.id = g.change_id), 'hook'), g.created_at,
        clock_timestamp(), 'failed', true, 'inactive', @reason::text
    FROM gone g WHERE g.position > (SELECT f.floor FROM feed f)
)
SELECT g.id, g.account_id, g.item_id, (g.due_at IS NOT NULL)::boolean AS led,
    (SELECT c.task FROM item_change c WHERE c.id = g.change_id) AS task
FROM gone g;

-- DropPending removes deliveries of a deleted hook, as FailPending does, but does not log them. A hidden hook may have
-- come back since it was found deleted.
-- name: DropPending :execrows
-- system: the dispatcher delivers for all accounts.
DELETE FROM delivery d USING (
    SELECT x.position FROM delivery x WHERE x.hook_id = @hook_id AND (x.claim IS NULL OR x.claimed_to <= now())
        ORDER BY x.position DESC LIMIT @batch
    FOR UPDATE SKIP LOCKED
) n
WHERE d.hook_id = @hook_id AND d.position = n.position
    AND EXISTS (SELECT FROM hook h WHERE h.id = @hook_id AND h.deleted_at IS NOT NULL);

-- DueHooks returns each active hook that has pending deliveries, and the time until the next is due, in seconds. When
-- it is due already, the time is negative.
-- name: DueHooks :many
-- system: the dispatcher delivers for all accounts.
SELECT h.id, (h.rate_limit IS NOT NULL OR h.max_in_flight IS NOT NULL)::boolean AS limited,
    extract(epoch FROM n.due_at - clock_timestamp())::float8 AS wait
FROM hook h
CROSS JOIN LATERAL (
    SELECT x.due_at FROM delivery x
    WHERE x.hook_id = h.id AND x.due_at IS NOT NULL AND (x.claim IS NULL OR x.claimed_to <= now())
    ORDER BY x.due_at LIMIT 1
) n
WHERE h.active;

-- Backlog counts up to a limit, which bounds its cost.
-- name: Backlog :one
-- system: operators see all accounts.
SELECT count(*) FROM (SELECT FROM delivery LIMIT 100000) p;

-- DoneBefore returns the last position up to which no delivery is pending and every replay has read.
-- name: DoneBefore :one
-- system: the log is kept for the deliveries of all accounts.
SELECT least(
    (SELECT coalesce(min(n.position) - 1, 9223372036854775807)
     FROM hook h
     CROSS JOIN LATERAL (SELECT d.position FROM delivery d WHERE d.hook_id = h.id ORDER BY d.position LIMIT 1) n),
    (SELECT coalesce(min(r.position), 9223372036854775807) FROM hook_replay r WHERE r.ended_at IS NULL)
)::bigint AS position;

-- name: ChangesByID :many
-- system: the dispatcher delivers for all accounts.
SELECT id, account_id, item_id, revision, kind, changed_fields, previous, actor, trigger, targets, task, document,
    occurred_at
FROM item_change WHERE id = ANY (@ids::bigint[]);
