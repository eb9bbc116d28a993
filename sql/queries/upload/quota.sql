-- AccountQuotas returns the limits of an account; null: none.
-- name: AccountQuotas :one
-- system: the row of the account itself.
SELECT quota_bytes, quota_minutes, quota_parallel_jobs FROM account WHERE id = @account_id;

-- LockQuota lets the reservations of one account happen one after the other, so that together they keep its quotas and
-- those of its profiles. The lock ends with the transaction.
-- name: LockQuota :exec
SELECT pg_advisory_xact_lock(hashtextextended('upload quota ' || CAST(@account_id AS uuid)::text, 0));

-- TakenQuota adds up what the files of an account and of one of its profiles hold, and what other uploads have
-- reserved of that. Both come from one snapshot, so an upload that ends meanwhile counts once.
-- name: TakenQuota :one
SELECT (coalesce(h.bytes, 0) + coalesce(r.bytes, 0))::bigint AS bytes,
    (coalesce(h.milliseconds, 0) + coalesce(r.milliseconds, 0))::bigint AS milliseconds,
    (coalesce(h.profile_bytes, 0) + coalesce(r.profile_bytes, 0))::bigint AS profile_bytes,
    (coalesce(h.profile_milliseconds, 0) + coalesce(r.profile_milliseconds, 0))::bigint AS profile_milliseconds,
    coalesce(r.bytes, 0)::bigint AS reserved_bytes, coalesce(r.milliseconds, 0)::bigint AS reserved_milliseconds,
    coalesce(r.profile_bytes, 0)::bigint AS profile_reserved_bytes,
    coalesce(r.profile_milliseconds, 0)::bigint AS profile_reserved_milliseconds
FROM (
    SELECT sum(m.bytes) AS bytes, sum(m.milliseconds) AS milliseconds,
        sum(m.bytes) FILTER (WHERE m.profile_id = CAST(@profile_id AS uuid)) AS profile_bytes,
        sum(m.milliseconds) FILTER (WHERE m.profile_id = CAST(@profile_id AS uuid)) AS profile_milliseconds
    FROM media_usage m WHERE m.account_id = @account_id
) h, (
    SELECT sum(greatest(u.reserved, u.bytes)) AS bytes, sum(u.reserved_minutes) * 60000 AS milliseconds,
        sum(greatest(u.reserved, u.bytes)) FILTER (WHERE u.profile_id = CAST(@profile_id AS uuid)) AS profile_bytes,
        sum(u.reserved_minutes) FILTER (WHERE u.profile_id = CAST(@profile_id AS uuid)) * 60000 AS profile_milliseconds
    FROM upload u WHERE u.account_id = @account_id AND u.state = 'receiving' AND u.id <> ALL (@own_ids::uuid[])
) r;

-- Usage adds up what the files of an account hold, what its uploads under way have reserved, and its steps of
-- processing: those that run, and those that wait.
-- name: Usage :one
SELECT h.bytes, h.milliseconds, r.reserved_bytes, r.uploads, j.jobs, j.waiting_jobs
FROM (
    SELECT coalesce(sum(m.bytes), 0)::bigint AS bytes, coalesce(sum(m.milliseconds), 0)::bigint AS milliseconds
    FROM media_usage m WHERE m.account_id = @account_id
) h, (
    SELECT coalesce(sum(greatest(u.reserved, u.bytes)), 0)::bigint AS reserved_bytes, count(*) AS uploads
    FROM upload u WHERE u.account_id = @account_id AND u.state = 'receiving'
) r, (
    SELECT count(*) FILTER (WHERE w.process_owner IS NOT NULL AND w.wake_at >= now()) AS jobs,
        count(*) FILTER (WHERE w.process_owner IS NULL OR w.wake_at < now()) AS waiting_jobs
    FROM workflow_run w WHERE w.account_id = @account_id AND w.process_action IS NOT NULL AND w.finished_at IS NULL
) j;
