-- name: StorePublicURL :exec
-- system: a setting of the installation, before any account exists.
INSERT INTO instance (public_url) VALUES (@public_url)
ON CONFLICT (single) DO UPDATE SET public_url = excluded.public_url, updated_at = now()
WHERE instance.public_url <> excluded.public_url;

-- name: PublicURL :one
-- system: as StorePublicURL.
SELECT public_url FROM instance;
