-- LogAttempts skips positions below the floor of the log: their partition is gone.
-- name: LogAttempts :exec
-- system: each row names the account of its hook.
INSERT INTO delivery_attempt (position, hook_id, number, delivery_id, account_id, item_id, change_id, revision, kind,
    trigger, created_at, at, took, outcome, closes, status, response, fault, error)
SELECT a.position, a.hook_id, a.number, a.delivery_id, a.account_id, a.item_id, a.change_id, a.revision, a.kind,
    a.trigger, a.created_at, a.at, a.took, a.outcome, a.outcome <> 'retry', nullif(a.status, 0),
    nullif(a.response, ''), nullif(a.fault, ''), nullif(a.error, '')
FROM (SELECT unnest(@positions::bigint[]) AS position, unnest(@hook_ids::uuid[]) AS hook_id,
    unnest(@numbers::integer[]) AS number, unnest(@ids::uuid[]) AS delivery_id,
    unnest(@account_ids::uuid[]) AS account_id, unnest(@item_ids::uuid[]) AS item_id,
    unnest(@change_ids::bigint[]) AS change_id, unnest(@revisions::bigint[]) AS revision,
    unnest(@kinds::text[]) AS kind, unnest(@triggers::text[]) AS trigger,
    unnest(@created_ats::timestamptz[]) AS created_at, unnest(@ats::timestamptz[]) AS at,
    unnest(@tooks::integer[]) AS took, unnest(@outcomes::text[]) AS outcome, unnest(@statuses::integer[]) AS status,
    unnest(@responses::text[]) AS response, unnest(@faults::text[]) AS fault, unnest(@errors::text[]) AS error) a
WHERE a.position > (SELECT f.floor FROM feed f)
ON CONFLICT DO NOTHING;

-- The list of deliveries merges PendingDeliveries with one of the three queries for ended deliveries: newest changes
-- first, from a page token on.
-- name: PendingDeliveries :many
SELECT d.id, d.hook_id, d.item_id, d.position, d.revision, d.kind,
    coalesce(d.trigger, c.trigger, 'hook')::text AS trigger, d.attempts, d.due_at,
    coalesce(d.claimed_to > now(), false)::boolean AS claimed, d.last_attempt, d.last_status, d.last_fault,
    d.last_error, d.created_at, c.occurred_at, h.workflow_profile_id, c.task
FROM hook h
CROSS JOIN LATERAL (
    SELECT * FROM delivery x
    WHERE x.hook_id = h.id AND x.position <= @before_position::bigint AND x.position > @after_position::bigint
        AND (x.position < @before_position::bigint OR x.hook_id < @before_hook::uuid)
        AND (sqlc.narg('item_id')::uuid IS NULL OR x.item_id = sqlc.narg('item_id')::uuid)
    ORDER BY x.position DESC LIMIT @max_rows::integer
) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL
    AND (h.workflow_profile_id IS NULL OR @of_tasks::boolean)
    AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- name: EndedDeliveries :many
SELECT d.delivery_id AS id, d.hook_id, d.item_id, d.position, d.revision, d.kind, d.trigger, d.number, d.at, d.took,
    d.outcome, d.status, d.fault, d.error, d.created_at, c.occurred_at, h.workflow_profile_id, c.task
FROM hook h
CROSS JOIN LATERAL (
    SELECT * FROM delivery_attempt x
    WHERE x.hook_id = h.id AND x.closes
        AND x.position <= @before_position::bigint AND x.position > @after_position::bigint
        AND (x.position < @before_position::bigint OR x.hook_id < @before_hook::uuid)
        AND (sqlc.narg('outcome')::text IS NULL OR x.outcome = sqlc.narg('outcome')::text)
    ORDER BY x.position DESC LIMIT @max_rows::integer
) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL
    AND (h.workflow_profile_id IS NULL OR @of_tasks::boolean)
    AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- FailedDeliveries is EndedDeliveries for failures, which have a separate index: they are few among the ended.
-- name: FailedDeliveries :many
SELECT d.delivery_id AS id, d.hook_id, d.item_id, d.position, d.revision, d.kind, d.trigger, d.number, d.at, d.took,
    d.outcome, d.status, d.fault, d.error, d.created_at, c.occurred_at, h.workflow_profile_id, c.task
FROM hook h
CROSS JOIN LATERAL (
    SELECT * FROM delivery_attempt x
    WHERE x.hook_id = h.id AND x.closes AND x.outcome = 'failed'
        AND x.position <= @before_position::bigint AND x.position > @after_position::bigint
        AND (x.position < @before_position::bigint OR x.hook_id < @before_hook::uuid)
    ORDER BY x.position DESC LIMIT @max_rows::integer
) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL
    AND (h.workflow_profile_id IS NULL OR @of_tasks::boolean)
    AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- EndedDeliveriesOfItem starts from the history of the item: an attempt is found by its hook and position. A change for
-- a task has one hook, which is hidden, and any other change has none that is hidden.
-- name: EndedDeliveriesOfItem :many
SELECT d.delivery_id AS id, d.hook_id, d.item_id, d.position, d.revision, d.kind, d.trigger, d.number, d.at, d.took,
    d.outcome, d.status, d.fault, d.error, d.created_at, c.occurred_at, h.workflow_profile_id, c.task
FROM item_change c
CROSS JOIN LATERAL (SELECT p.position FROM item_position p WHERE p.change_id = c.id LIMIT 1) p
CROSS JOIN LATERAL (
    SELECT o.id, o.workflow_profile_id FROM hook o
    WHERE c.task IS NULL AND o.account_id = @account_id AND o.deleted_at IS NULL
        AND o.workflow_profile_id IS NULL
    UNION ALL
    SELECT t.id, t.workflow_profile_id FROM hook t
    WHERE c.task IS NOT NULL AND @of_tasks::boolean AND t.id = c.targets[1] AND t.account_id = @account_id
        AND t.deleted_at IS NULL AND t.workflow_profile_id IS NOT NULL
) h
JOIN delivery_attempt d ON d.hook_id = h.id AND d.position = p.position AND d.closes
WHERE c.account_id = @account_id AND c.item_id = @item_id
    AND (sqlc.narg('hook_id')::uuid IS NULL OR h.id = sqlc.narg('hook_id')::uuid)
    AND (sqlc.narg('outcome')::text IS NULL OR d.outcome = sqlc.narg('outcome')::text)
    AND d.position <= @before_position::bigint AND d.position > @after_position::bigint
    AND (d.position < @before_position::bigint OR d.hook_id < @before_hook::uuid)
ORDER BY d.position DESC, d.hook_id DESC LIMIT @max_rows::integer;

-- PendingDelivery finds a delivery by its id, which holds its position.
-- name: PendingDelivery :one
SELECT d.id, d.hook_id, d.item_id, d.position, d.revision, d.kind,
    coalesce(d.trigger, c.trigger, 'hook')::text AS trigger, d.attempts, d.due_at,
    coalesce(d.claimed_to > now(), false)::boolean AS claimed, d.last_attempt, d.last_status, d.last_fault,
    d.last_error, d.created_at, c.occurred_at, h.workflow_profile_id, c.task
FROM hook h
CROSS JOIN LATERAL (SELECT * FROM delivery x WHERE x.hook_id = h.id AND x.position = @position AND x.id = @id) d
LEFT JOIN item_change c ON c.id = d.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL
    AND (h.workflow_profile_id IS NULL OR @of_tasks::boolean);

-- AttemptsOf reads the last hundred attempts of a delivery.
-- name: AttemptsOf :many
SELECT a.delivery_id, a.hook_id, a.item_id, a.change_id, a.position, a.revision, a.kind, a.trigger, a.created_at,
    a.number, a.at, a.took, a.outcome, a.closes, a.status, a.response, a.fault, a.error, c.occurred_at,
    h.workflow_profile_id, c.task
FROM hook h CROSS JOIN LATERAL (
    SELECT * FROM delivery_attempt x WHERE x.hook_id = h.id AND x.position = @position AND x.delivery_id = @id
        ORDER BY x.number DESC LIMIT 100
) a
LEFT JOIN item_change c ON c.id = a.change_id
WHERE h.account_id = @account_id AND h.deleted_at IS NULL
    AND (h.workflow_profile_id IS NULL OR @of_tasks::boolean)
ORDER BY a.number;

-- HealthOfHooks counts the attempts of hooks since a time, by steps of seconds: of each hook at most max_attempts, those
-- of the newest changes. No index has the time of an attempt, and none is worth its writes.
-- name: HealthOfHooks :many
SELECT h.id AS hook_id, floor(extract(epoch FROM a.at - @since::timestamptz) / @step::float8)::integer AS step,
    count(*) AS attempts, count(*) FILTER (WHERE a.outcome = 'succeeded') AS succeeded,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY a.took)::integer AS median,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY a.took)::integer AS slow
FROM hook h CROSS JOIN LATERAL (
    SELECT x.at, x.took, x.outcome FROM delivery_attempt x
    WHERE x.hook_id = h.id ORDER BY x.position DESC LIMIT @max_attempts::integer
) a
WHERE h.account_id = @account_id AND h.id = ANY (@ids::uuid[]) AND h.deleted_at IS NULL
    AND h.workflow_profile_id IS NULL AND a.at >= @since::timestamptz AND a.took IS NOT NULL
GROUP BY 1, 2 ORDER BY 1, 2;

-- DocumentAt reads the document of the change at a position, unless its workflow profile hides the item from a role.
-- name: DocumentAt :one
SELECT c.document FROM item_position p JOIN item_change c ON c.id = p.change_id
WHERE p.position = @position AND c.account_id = @account_id
    AND coalesce((convert_from(c.document, 'UTF8')::json -> 'workflow' ->> 'profile_id')::uuid <> ALL (
      (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]), true);
