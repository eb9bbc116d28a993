-- name: TokenOrigins :many
-- The origins of the tokens that have not expired. expires_at is null for an origin that a token names for ever.
SELECT unnest(origins)::text AS origin, expires_at
FROM access_token
WHERE cardinality(origins) > 0 AND (expires_at IS NULL OR expires_at > now());
