-- TokenOrigins returns the origins of the access tokens that have not expired. expires_at is null for an origin that a
-- token names for ever.
-- name: TokenOrigins :many
-- system: a preflight has no credentials, so its origin may be any account's.
SELECT unnest(origins)::text AS origin, expires_at
FROM access_token
WHERE cardinality(origins) > 0 AND (expires_at IS NULL OR expires_at > now());
