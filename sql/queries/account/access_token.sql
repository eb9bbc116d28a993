-- BearersByDigest returns the users of access tokens, by the digests of their secrets, with the columns of UserByEmail,
-- and the tokens. A token also has the secret before the current one, until previous_until.
-- name: BearersByDigest :many
-- system: a request contains the secret only; the account follows from it.
SELECT u.id, u.account_id, u.email, u.name, u.kind, u.active, r.id AS role_id, r.name AS role, r.permissions,
    t.id AS token_id, t.name AS token_name, t.permissions AS token_permissions,
    coalesce(t.filter::text, '')::text AS filter, t.origins, t.requests_per_minute, t.expires_at,
    t.digest, t.previous_digest, t.previous_until, u.default_workflow_profile_id,
    a.default_workflow_profile_id AS account_default_profile_id
FROM access_token t JOIN app_user u ON u.id = t.user_id JOIN role r ON r.id = u.role_id
    JOIN account a ON a.id = u.account_id
WHERE t.digest = ANY (@digests::bytea[])
    OR t.previous_digest = ANY (@digests::bytea[]) AND t.previous_until > now();

-- RecordTokenUse adds to the counts of the use of access tokens. It leaves out those that have been revoked meanwhile.
-- name: RecordTokenUse :exec
-- system: the tokens of all accounts that clients of this node have used.
INSERT INTO access_token_use AS before (token_id, account_id, hour, requests, address)
SELECT t.id, t.account_id, date_trunc('hour', u.used_at, 'UTC'), u.requests, u.address
FROM (SELECT unnest(@token_ids::uuid[]) AS token_id, unnest(@used_ats::timestamptz[]) AS used_at,
    unnest(@requests::bigint[]) AS requests, unnest(@addresses::text[]) AS address) u
JOIN access_token t ON t.id = u.token_id
ORDER BY t.id
ON CONFLICT (token_id, hour) DO UPDATE
    SET requests = before.requests + EXCLUDED.requests, address = EXCLUDED.address;

-- DropOldTokenUse deletes the counts of more than a day ago, but for the last use of each token, and those of revoked
-- tokens.
-- name: DropOldTokenUse :exec
-- system: the counts of every account.
DELETE FROM access_token_use u
WHERE u.hour < now() - interval '25 hours'
    AND EXISTS (SELECT FROM access_token_use later WHERE later.token_id = u.token_id AND later.hour > u.hour)
  OR NOT EXISTS (SELECT FROM access_token t WHERE t.id = u.token_id);
