-- name: ClaimIdempotencyKey :execrows
INSERT INTO idempotency_key (account_id, user_id, key_digest, fingerprint)
VALUES (@account_id, @user_id, @key_digest, @fingerprint)
ON CONFLICT DO NOTHING;

-- name: IdempotentAnswer :one
SELECT fingerprint, answer FROM idempotency_key
WHERE account_id = @account_id AND user_id = @user_id AND key_digest = @key_digest;

-- name: StoreIdempotentAnswer :exec
UPDATE idempotency_key SET answer = @answer
WHERE account_id = @account_id AND user_id = @user_id AND key_digest = @key_digest;

-- name: DeleteExpiredIdempotencyKeys :execrows
-- system: the keys of all accounts expire.
DELETE FROM idempotency_key WHERE created_at < @before;
