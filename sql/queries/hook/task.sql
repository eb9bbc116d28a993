-- SyncTaskHooks makes the hidden hooks of a workflow profile: one for each URL of its tasks. Those that it has keep
-- their secret, and the headers of tasks that only older versions of the profile have. One that was to go stays. A
-- hidden hook receives every change that names it, so its position is the beginning of the log. Its headers are text
-- here, one object a hook.
-- name: SyncTaskHooks :exec
INSERT INTO hook (id, account_id, workflow_profile_id, url, description, events, active, secret, after_position,
    after_changes, headers)
SELECT n.id, CAST(@account_id AS uuid), CAST(@workflow_profile_id AS uuid), n.url, '', '{}', true,
    CAST(@secret AS text), 0, '{}', n.headers::jsonb
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@urls::text[]) AS url, unnest(@headers::text[]) AS headers) n
ON CONFLICT (id) DO UPDATE SET headers = hook.headers || EXCLUDED.headers, active = true, disabled_reason = NULL,
    last_change = NULL, deleted_at = NULL, updated_at = now();

-- SetTaskSecrets gives the hidden hooks of a profile the profile's secrets.
-- name: SetTaskSecrets :exec
UPDATE hook SET secret = @secret, old_secret = sqlc.narg('old_secret'),
    old_secret_until = sqlc.narg('old_secret_until'), updated_at = now()
WHERE account_id = @account_id AND workflow_profile_id = CAST(@workflow_profile_id AS uuid);

-- EndTaskHooks notes that no later change is for the hidden hooks of a profile: the profile is being deleted.
-- name: EndTaskHooks :exec
UPDATE hook h SET last_change = coalesce((SELECT c.id FROM item_change c ORDER BY c.id DESC LIMIT 1), 0)
WHERE h.account_id = @account_id AND h.workflow_profile_id = CAST(@workflow_profile_id AS uuid);

-- RetireTaskHooks notes that no later change is for the hidden hooks of a profile, except for those of the URLs. The
-- profile is locked, and its runs need no other URL.
-- name: RetireTaskHooks :exec
UPDATE hook h SET last_change = coalesce((SELECT c.id FROM item_change c ORDER BY c.id DESC LIMIT 1), 0)
WHERE h.account_id = @account_id AND h.workflow_profile_id = CAST(@workflow_profile_id AS uuid)
    AND h.last_change IS NULL AND h.deleted_at IS NULL AND NOT (h.url = ANY (@urls::text[]));

-- DeleteTaskHooks deletes the hidden hooks that have been ended or retired, once nothing is left to send: every change
-- up to the last one has a position that the fan-out has passed, or was rolled back, and no delivery is pending. While
-- the profile exists, the deliveries that are logged are shown; so their hook stays.
-- name: DeleteTaskHooks :exec
-- system: the dispatcher delivers for all accounts.
UPDATE hook k SET deleted_at = now(), active = false
WHERE k.last_change IS NOT NULL AND k.deleted_at IS NULL
    AND (SELECT d.position FROM delivery d WHERE d.hook_id = k.id LIMIT 1) IS NULL
    AND ((SELECT a.position FROM delivery_attempt a WHERE a.hook_id = k.id LIMIT 1) IS NULL
        OR NOT EXISTS (SELECT FROM workflow_profile w WHERE w.id = k.workflow_profile_id))
    AND (
        SELECT h.scanned_to >= k.last_change
            AND NOT EXISTS (SELECT FROM unnest(h.gaps) AS g (id) WHERE g.id <= k.last_change)
        FROM feed_head h ORDER BY h.step DESC LIMIT 1
    )
    AND NOT EXISTS (
        SELECT FROM item_position p WHERE p.change_id <= k.last_change
            AND p.position > coalesce((SELECT max(c.position) FROM consumer_position c WHERE c.consumer = 'hook'), 0)
    );

-- TaskDeliveries returns the tasks of runs among the last thousand changes of each of their items, in the order of the
-- log, and what has become of their deliveries. A position of 0: the change has none yet. The attempts are those of the
-- delivery that is to be sent next to the same URL: the task's own one, or one that it is behind. A pending delivery
-- has its number of attempts, and after a failed one when the next is due and why the last one failed.
-- name: TaskDeliveries :many
SELECT c.id, c.item_id, c.task, (c.targets[1])::uuid AS hook_id, c.revision, c.occurred_at,
    coalesce(p.position, 0)::bigint AS position, coalesce((
        SELECT a.outcome FROM delivery_attempt a
        WHERE a.hook_id = c.targets[1] AND a.position = p.position AND a.closes LIMIT 1), 'pending')::text AS state,
    coalesce(d.position < p.position, false)::boolean AS is_behind,
    coalesce(d.attempts, 0)::integer AS attempts, d.due_at,
    coalesce(d.last_fault, '')::text AS last_fault, coalesce(d.last_error, '')::text AS last_error
FROM (SELECT unnest(@item_ids::uuid[]) AS item_id) n
CROSS JOIN LATERAL (
    SELECT * FROM item_change x WHERE x.account_id = @account_id AND x.item_id = n.item_id ORDER BY x.id DESC LIMIT 1000
) c
LEFT JOIN LATERAL (SELECT o.position FROM item_position o WHERE o.change_id = c.id LIMIT 1) p ON true
LEFT JOIN LATERAL (
    SELECT x.* FROM delivery x
    WHERE x.hook_id = c.targets[1] AND x.item_id = c.item_id AND x.position <= p.position ORDER BY x.position LIMIT 1
) d ON true
WHERE c.task IS NOT NULL AND c.task ->> 'run_id' = ANY (@run_ids::text[])
ORDER BY c.id;
