-- name: ClaimIdempotencyKey :execrows
INSERT INTO idempotency_key (account_id, user_id, key_digest, fingerprint)
VALUES (@account_id, @user_id, @key_digest, @fingerprint)
ON CONFLICT DO NOTHING;

-- name: IdempotentResponse :one
SELECT fingerprint, response FROM idempotency_key
WHERE account_id = @account_id AND user_id = @user_id AND key_digest = @key_digest;

-- name: StoreIdempotentResponse :exec
UPDATE idempotency_key SET response = @response
WHERE account_id = @account_id AND user_id = @user_id AND key_digest = @key_digest;

-- name: DeleteExpiredIdempotencyKeys :execrows
-- system: the keys of all accounts expire.
DELETE FROM idempotency_key WHERE created_at < @before;
