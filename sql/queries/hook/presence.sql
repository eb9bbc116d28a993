-- HoldPresence takes the lock by which other nodes see that this one is alive. It lasts as long as the connection.
-- name: HoldPresence :one
-- system: a node has no account.
SELECT pg_try_advisory_lock(hashtext('itemcast hook node'), @node::integer) AS held;

-- name: NodesAlive :many
-- system: as HoldPresence.
SELECT a.node::integer AS node FROM hook_nodes_alive() a;

-- TakeOver releases the claims of nodes that are not alive: nothing holds the lock of their number.
-- name: TakeOver :many
-- system: the dispatcher delivers for all accounts.
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
