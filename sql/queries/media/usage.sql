-- Measure sets what a file counts beside its bytes: the length of a source, and the workflow profile of an item that is
-- being made. A length that a file has stays when the new one is null.
-- name: Measure :exec
UPDATE media_file SET milliseconds = coalesce(sqlc.narg('milliseconds')::bigint, milliseconds),
    profile_id = coalesce(sqlc.narg('profile_id')::uuid, profile_id)
WHERE account_id = @account_id AND asset_id = @asset_id AND state <> 'dropped';

-- LockUsage lets one node merge at a time. false: another one does.
-- name: LockUsage :one
-- system: of all accounts.
SELECT pg_try_advisory_xact_lock(hashtext('itemcast merge usage'));

-- UsageToMerge returns the accounts with many rows.
-- name: UsageToMerge :many
-- system: of all accounts.
SELECT account_id FROM media_usage GROUP BY account_id HAVING count(*) > @min_rows::bigint;

-- MergeUsage replaces the rows of an account by one for each profile.
-- name: MergeUsage :exec
WITH merged AS (DELETE FROM media_usage u WHERE u.account_id = @account_id RETURNING u.*)
INSERT INTO media_usage (account_id, profile_id, bytes, milliseconds)
SELECT account_id, profile_id, sum(bytes), sum(milliseconds) FROM merged
GROUP BY account_id, profile_id HAVING sum(bytes) <> 0 OR sum(milliseconds) <> 0;
