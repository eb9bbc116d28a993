-- InsertRun begins a run. The item's row is locked.
-- name: InsertRun :exec
INSERT INTO workflow_run (id, account_id, item_id, profile_id, profile_version, status, state, started_by, started_at,
    moved_at, wake_at)
VALUES (@id, @account_id, @item_id, @profile_id, @profile_version, @status, @state, sqlc.narg('started_by')::uuid,
    @started_at, @started_at, @started_at);

-- HasUnfinishedRun reports whether an item's run has not ended.
-- name: HasUnfinishedRun :one
SELECT EXISTS (SELECT FROM workflow_run
    WHERE account_id = @account_id AND item_id = @item_id AND finished_at IS NULL)::boolean;

-- RunToMove reads an item's run that has not ended, and the answers of the tasks that it waits for. The item's row is
-- locked, which orders the moves of its run.
-- name: RunToMove :one
SELECT r.id, r.profile_id, r.profile_version, r.state, r.started_by, r.wake_at, r.attempts, r.process_action,
    r.process_attempt, r.process_owner, coalesce((
        SELECT jsonb_agg(jsonb_build_object('task', e.task, 'outcome', e.outcome, 'reason',
            coalesce(e.error, e.comment, '')) ORDER BY e.id)
        FROM workflow_event e
        WHERE e.item_id = r.item_id AND e.run_id = r.id AND e.outcome IS NOT NULL AND e.task = ANY (r.waiting_tasks)
    ), '[]')::jsonb AS answers
FROM workflow_run r WHERE r.account_id = @account_id AND r.item_id = @item_id AND r.finished_at IS NULL;

-- SaveRun stores the state after a move.
-- name: SaveRun :exec
UPDATE workflow_run SET status = @status, current_action = sqlc.narg('current_action'), state = @state,
    error = sqlc.narg('error'), waiting_roles = sqlc.narg('waiting_roles')::uuid[], waiting_tasks = @waiting_tasks,
    moved_at = @moved_at, finished_at = sqlc.narg('finished_at'), wake_at = sqlc.narg('wake_at'), attempts = 0,
    process_action = sqlc.narg('process_action'),
    process_attempt = CASE WHEN @begins_process::boolean THEN 0 ELSE process_attempt END,
    process_owner = CASE WHEN @begins_process::boolean THEN NULL ELSE process_owner END,
    process_progress = CASE WHEN @begins_process::boolean THEN 0 ELSE process_progress END
WHERE account_id = @account_id AND id = @id;

-- InsertEvents appends to the history. Empty texts, the nil id and negative times stand for null.
-- name: InsertEvents :exec
INSERT INTO workflow_event (id, account_id, item_id, run_id, at, event, action, task, user_id, comment, error, took)
SELECT n.id, CAST(@account_id AS uuid), CAST(@item_id AS uuid), CAST(@run_id AS uuid), n.at, n.event,
    nullif(n.action, ''), nullif(n.task, ''), nullif(n.user_id, '00000000-0000-0000-0000-000000000000'),
    nullif(n.comment, ''), nullif(n.error, ''), nullif(n.took, -1)
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@ats::timestamptz[]) AS at, unnest(@events::text[]) AS event,
    unnest(@actions::text[]) AS action,
    unnest(@tasks::text[]) AS task, unnest(@user_ids::uuid[]) AS user_id, unnest(@comments::text[]) AS comment,
    unnest(@errors::text[]) AS error, unnest(@tooks::double precision[]) AS took) n;

-- InsertAnswers records the ends of tasks' deliveries, except of runs that are gone, and reports which of them their runs
-- wait for. It locks nothing: the transaction also settles the deliveries of others. Empty texts stand for null.
-- name: InsertAnswers :many
-- system: the dispatcher settles deliveries of many accounts; each has the account of its run.
INSERT INTO workflow_event (id, account_id, item_id, run_id, at, event, action, task, comment, error, delivery_id,
    outcome)
SELECT n.id, r.account_id, r.item_id, r.id, @at, n.event, nullif(n.action, ''), n.task, nullif(n.comment, ''),
    nullif(n.error, ''), n.delivery_id, n.outcome
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@accounts::uuid[]) AS account_id, unnest(@runs::uuid[]) AS run_id,
    unnest(@events::text[]) AS event, unnest(@actions::text[]) AS action, unnest(@tasks::text[]) AS task,
    unnest(@comments::text[]) AS comment, unnest(@errors::text[]) AS error,
    unnest(@delivery_ids::uuid[]) AS delivery_id, unnest(@outcomes::text[]) AS outcome) n
JOIN workflow_run r ON r.id = n.run_id AND r.account_id = n.account_id
RETURNING account_id, item_id, (SELECT w.finished_at IS NULL AND workflow_event.task = ANY (w.waiting_tasks)
    FROM workflow_run w WHERE w.id = workflow_event.run_id)::boolean AS awaited;

-- CountAttempt counts an attempt to take the next step of a run that should have moved 10 seconds ago.
-- name: CountAttempt :one
UPDATE workflow_run SET attempts = attempts + 1
WHERE account_id = @account_id AND item_id = @item_id AND finished_at IS NULL
    AND wake_at < now() - interval '10 seconds' AND process_action IS NULL
RETURNING attempts;

-- FailAttempt counts an attempt that has failed.
-- name: FailAttempt :exec
UPDATE workflow_run SET attempts = attempts + 1
WHERE account_id = @account_id AND item_id = @item_id AND finished_at IS NULL;

-- HasLateRuns reports whether NudgeRuns or NudgeAnswered may find a run. It is two look-ups by index, and all that the
-- sweep of an idle server costs.
-- name: HasLateRuns :one
-- system: the sweep serves all accounts.
SELECT (EXISTS (SELECT FROM workflow_run w WHERE w.wake_at < now() - interval '10 seconds')
    OR EXISTS (SELECT FROM workflow_run w WHERE w.finished_at IS NULL AND w.waiting_tasks <> '{}'))::boolean AS late;

-- NudgeRuns returns runs that should have moved 10 seconds ago, each at most once in 30 seconds.
-- name: NudgeRuns :many
-- system: the sweep serves all accounts.
UPDATE workflow_run r SET nudged_at = now()
FROM (SELECT w.id FROM workflow_run w
    WHERE w.wake_at < now() - interval '10 seconds'
        AND (w.nudged_at IS NULL OR w.nudged_at < now() - interval '30 seconds')
    ORDER BY w.wake_at LIMIT @max_rows FOR UPDATE SKIP LOCKED) late
WHERE r.id = late.id
RETURNING r.account_id, r.item_id, r.id;

-- NudgeAnswered returns runs whose awaited answer has been there for 10 seconds.
-- name: NudgeAnswered :many
-- system: the sweep serves all accounts.
UPDATE workflow_run r SET nudged_at = now()
FROM (SELECT w.id FROM workflow_run w
    WHERE w.finished_at IS NULL AND w.waiting_tasks <> '{}'
        AND (w.nudged_at IS NULL OR w.nudged_at < now() - interval '30 seconds')
        AND EXISTS (SELECT FROM workflow_event e
            WHERE e.item_id = w.item_id AND e.run_id = w.id AND e.outcome IS NOT NULL
                AND e.task = ANY (w.waiting_tasks) AND e.at < now() - interval '10 seconds')
    LIMIT @max_rows FOR UPDATE SKIP LOCKED) late
WHERE r.id = late.id
RETURNING r.account_id, r.item_id, r.id;

-- LockProcess lets one node at a time choose what is processed next, so that the limits of parallel jobs hold. The lock
-- ends with the transaction.
-- name: LockProcess :exec
-- system: the processor serves all accounts.
SELECT pg_advisory_xact_lock(hashtext('itemcast process'));

-- ClaimProcess takes the processor's lease of the run whose turn it is. First come the accounts of which the fewest
-- items are being processed; of those, the one that has waited longest since its last turn; of its runs, the oldest. An
-- account or a profile at its limit of parallel jobs is passed over.
-- name: ClaimProcess :one
-- system: the processor serves all accounts.
WITH busy AS (
    SELECT b.account_id, b.profile_id, count(*) AS jobs FROM workflow_run b
    WHERE b.process_action IS NOT NULL AND b.finished_at IS NULL AND b.process_owner IS NOT NULL AND b.wake_at >= now()
    GROUP BY b.account_id, b.profile_id
), next AS (
    SELECT w.id, w.account_id FROM workflow_run w
    JOIN account a ON a.id = w.account_id
    LEFT JOIN workflow_profile p ON p.account_id = w.account_id AND p.id = w.profile_id
    LEFT JOIN process_turn t ON t.account_id = w.account_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(b.jobs), 0) AS account_jobs,
            coalesce(sum(b.jobs) FILTER (WHERE b.profile_id = w.profile_id), 0) AS profile_jobs
        FROM busy b WHERE b.account_id = w.account_id
    ) j
    WHERE w.process_action IS NOT NULL AND w.finished_at IS NULL AND (w.process_owner IS NULL OR w.wake_at < now())
        AND w.process_attempt < @max_attempts
        AND (a.quota_parallel_jobs IS NULL OR j.account_jobs < a.quota_parallel_jobs)
        AND (p.uploads->>'parallel_jobs' IS NULL OR j.profile_jobs < (p.uploads->>'parallel_jobs')::bigint)
    ORDER BY j.account_jobs, t.taken_at NULLS FIRST, w.moved_at, w.id LIMIT 1
    FOR UPDATE OF w SKIP LOCKED
), turn AS (
    INSERT INTO process_turn (account_id, taken_at) SELECT n.account_id, clock_timestamp() FROM next n
    ON CONFLICT (account_id) DO UPDATE SET taken_at = excluded.taken_at
)
UPDATE workflow_run r SET process_owner = @owner::uuid, process_attempt = r.process_attempt + 1, process_progress = 0,
    wake_at = now() + make_interval(secs => @lease::float8)
FROM next n WHERE r.id = n.id
RETURNING r.account_id, r.item_id, r.id, r.process_action::text AS action, r.process_attempt;

-- FullProfiles returns whether some profiles, and their account, have as many items in processing as they may have.
-- name: FullProfiles :many
SELECT p.id, coalesce(count(b.id) >= a.quota_parallel_jobs, false)::boolean AS account_full,
    coalesce(count(b.id) FILTER (WHERE b.profile_id = p.id) >= (p.uploads->>'parallel_jobs')::bigint, false)::boolean
        AS profile_full
FROM workflow_profile p JOIN account a ON a.id = p.account_id
LEFT JOIN workflow_run b ON b.account_id = p.account_id AND b.process_action IS NOT NULL AND b.finished_at IS NULL
    AND b.process_owner IS NOT NULL AND b.wake_at >= now()
WHERE p.account_id = @account_id AND p.id = ANY (@profile_ids::uuid[])
GROUP BY p.id, a.id;

-- OwnsProcess reports whether a lease is still its owner's.
-- name: OwnsProcess :one
SELECT EXISTS (SELECT FROM workflow_run WHERE account_id = @account_id AND id = @id AND process_owner = @owner::uuid
    AND process_action IS NOT NULL AND finished_at IS NULL)::boolean;

-- KeepProcess extends the lease and stores the progress.
-- name: KeepProcess :execrows
UPDATE workflow_run SET wake_at = now() + make_interval(secs => @lease::float8), process_progress = @progress
WHERE account_id = @account_id AND id = @id AND process_owner = @owner::uuid AND process_action IS NOT NULL;

-- KeepProcessQueued notes that the processor's job has been queued again.
-- name: KeepProcessQueued :exec
UPDATE workflow_run SET wake_at = now() + interval '1 minute', process_owner = NULL
WHERE account_id = @account_id AND id = @id;

-- ReleaseProcess gives the lease and the attempt back.
-- name: ReleaseProcess :exec
UPDATE workflow_run SET process_owner = NULL, process_attempt = process_attempt - 1, wake_at = now()
WHERE account_id = @account_id AND id = @id AND process_owner = @owner::uuid AND process_action IS NOT NULL;

-- ListRuns reads a page of runs (workflow_run_page). It omits those of items that are hidden from the role.
-- name: ListRuns :many
SELECT r.*, i.name AS item_name
FROM unnest((SELECT workflow_run_page(@account_id, (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid)),
    @statuses::text[], sqlc.narg('action')::text, sqlc.narg('profile_id')::uuid, @for_me::boolean,
    sqlc.narg('role_id')::uuid, coalesce(sqlc.narg('before_id')::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    @max_rows::integer))::uuid[]) AS page (id)
JOIN workflow_run r ON r.account_id = @account_id AND r.id = page.id
JOIN item i ON i.id = r.item_id
ORDER BY r.id DESC;

-- LastRun reads the last run of an item, unless the item is hidden from the role.
-- name: LastRun :one
SELECT r.*, i.name AS item_name FROM workflow_run r JOIN item i ON i.id = r.item_id
WHERE r.account_id = @account_id AND r.item_id = @item_id
    AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
        (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
ORDER BY r.id DESC LIMIT 1;

-- LastRuns reads the last run of each item, unless the item is hidden from the role.
-- name: LastRuns :many
SELECT DISTINCT ON (r.item_id) r.*, i.name AS item_name FROM workflow_run r JOIN item i ON i.id = r.item_id
WHERE r.account_id = @account_id AND r.item_id = ANY (@item_ids::uuid[])
    AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
        (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
ORDER BY r.item_id, r.id DESC;

-- AnswersOf reads the ends of the tasks' deliveries of runs, oldest first.
-- name: AnswersOf :many
SELECT e.run_id, e.task, e.event, e.delivery_id FROM workflow_event e
WHERE e.account_id = @account_id AND e.item_id = ANY (@item_ids::uuid[]) AND e.run_id = ANY (@run_ids::uuid[])
    AND e.outcome IS NOT NULL
ORDER BY e.id;

-- ItemHistory reads the history of an item's runs, newest first, unless the item is hidden from the role.
-- name: ItemHistory :many
SELECT e.* FROM workflow_event e JOIN item i ON i.id = e.item_id
WHERE e.account_id = @account_id AND e.item_id = @item_id
    AND (sqlc.narg('before_id')::uuid IS NULL OR e.id < sqlc.narg('before_id')::uuid)
    AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
        (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
ORDER BY e.id DESC LIMIT @max_rows;

-- WaitingRoles returns roles that runs wait for, with what may keep their users from acting: which of the profiles hide
-- their items from the role, its permissions, and whether it has an active user.
-- name: WaitingRoles :many
SELECT r.id, r.name, r.permissions, ARRAY(
        SELECT p.id FROM workflow_profile p
        WHERE p.account_id = @account_id AND p.id = ANY (@profile_ids::uuid[])
            AND p.role_ids <> '{}' AND r.id <> ALL (p.role_ids)
    )::uuid[] AS hidden,
    EXISTS (SELECT FROM app_user u WHERE u.account_id = @account_id AND u.role_id = r.id AND u.active)::boolean AS has_user
FROM role r WHERE r.account_id = @account_id AND r.id = ANY (@ids::uuid[]) ORDER BY r.name;

-- OlderRuns counts the runs of a profile that have not ended and keep an older version, by version and current action.
-- name: OlderRuns :many
SELECT profile_version, coalesce(current_action, '')::text AS current_action, count(*) AS runs
FROM workflow_run
WHERE account_id = @account_id AND profile_id = @profile_id AND finished_at IS NULL AND profile_version < @version
GROUP BY 1, 2 ORDER BY 1, 2;

-- CountRuns counts the runs that have not ended, by status, and the age of the oldest that waits for a person.
-- name: CountRuns :many
-- system: the metrics are of all accounts.
SELECT status, count(*) AS runs, coalesce(extract(epoch FROM now() - min(moved_at)), 0)::double precision AS oldest
FROM workflow_run WHERE finished_at IS NULL GROUP BY status;

-- CountProcess counts the items that wait for a processor.
-- name: CountProcess :one
-- system: the metrics are of all accounts.
SELECT count(*) FROM workflow_run
WHERE process_action IS NOT NULL AND finished_at IS NULL AND (process_owner IS NULL OR wake_at < now());

-- ProfileToRun returns the version of a profile that a run would begin with, and locks the profile against deletion. The
-- role must see the profile's items.
-- name: ProfileToRun :one
SELECT p.version FROM workflow_profile p
WHERE p.account_id = @account_id AND p.id = @id AND p.id <> ALL (
    hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))
FOR KEY SHARE;
