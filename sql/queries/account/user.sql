-- name: ListUsers :many
SELECT u.id, u.email, u.name, u.kind, u.role_id, r.name AS role, r.permissions, u.active,
    (u.password_hash <> '')::boolean AS has_password, u.default_workflow_profile_id, u.created_at, u.updated_at,
    u.revision
FROM app_user u JOIN role r ON r.id = u.role_id
WHERE u.account_id = @account_id AND (sqlc.narg('before_id')::uuid IS NULL OR u.id < sqlc.narg('before_id')::uuid)
  AND (sqlc.narg('search')::text IS NULL
    OR position(lower(sqlc.narg('search')::text) IN lower(u.email || ' ' || u.name)) > 0)
  AND (sqlc.narg('role_id')::uuid IS NULL OR u.role_id = sqlc.narg('role_id')::uuid)
  AND (sqlc.narg('kind')::text IS NULL OR u.kind = sqlc.narg('kind')::text)
  AND (sqlc.narg('active')::boolean IS NULL OR u.active = sqlc.narg('active')::boolean)
ORDER BY u.id DESC LIMIT @max_rows;

-- GetUser returns the columns of ListUsers.
-- name: GetUser :one
SELECT u.id, u.email, u.name, u.kind, u.role_id, r.name AS role, r.permissions, u.active,
    (u.password_hash <> '')::boolean AS has_password, u.default_workflow_profile_id, u.created_at, u.updated_at,
    u.revision
FROM app_user u JOIN role r ON r.id = u.role_id
WHERE u.account_id = @account_id AND u.id = @id;

-- name: UserIDByEmail :one
SELECT id FROM app_user WHERE account_id = @account_id AND lower(email) = lower(@email);

-- InsertUser inserts no row when the address is taken, in any account.
-- name: InsertUser :execrows
INSERT INTO app_user (id, account_id, role_id, email, name, kind, password_hash, active, default_workflow_profile_id)
VALUES (@id, @account_id, @role_id, @email, @name, @kind, @password_hash, @active,
    sqlc.narg('default_workflow_profile_id'))
ON CONFLICT DO NOTHING;

-- name: EmailTaken :one
-- system: an address is unique across accounts, because a sign-in gives nothing else.
SELECT EXISTS (SELECT FROM app_user WHERE lower(email) = lower(@email) AND id <> @id);

-- name: UpdateUser :exec
UPDATE app_user SET email = @email, name = @name, role_id = @role_id, active = @active,
    password_hash = coalesce(sqlc.narg('password_hash')::text, password_hash),
    default_workflow_profile_id = sqlc.narg('default_workflow_profile_id'),
    updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id;

-- name: SetPassword :exec
UPDATE app_user SET password_hash = @password_hash, updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id;

-- ChangePassword sets a new password only if the verified one is still current.
-- name: ChangePassword :execrows
UPDATE app_user SET password_hash = @password_hash, updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id AND active AND password_hash = @verified_hash;

-- LockCredentials locks a user's row against changes until the transaction ends.
-- name: LockCredentials :one
SELECT email, password_hash FROM app_user WHERE account_id = @account_id AND id = @id AND active FOR SHARE;

-- name: PasswordHash :one
SELECT email, password_hash, kind FROM app_user WHERE account_id = @account_id AND id = @id AND active;

-- name: DeleteUser :exec
DELETE FROM app_user WHERE account_id = @account_id AND id = @id;

-- Administrators counts the active persons with a password, api.access, users.manage and the given permissions.
-- name: Administrators :one
SELECT count(*) FROM app_user u JOIN role r ON r.id = u.role_id
WHERE u.account_id = @account_id AND u.active AND u.kind = 'person' AND u.password_hash <> ''
  AND r.permissions @> (ARRAY['api.access', 'users.manage'] || @permissions::text[]);

-- name: ReplaceResetLink :exec
INSERT INTO reset_link (token_hash, account_id, user_id, made_by, expires_at)
VALUES (@token_hash, @account_id, @user_id, @made_by, @expires_at)
ON CONFLICT (user_id) DO UPDATE
  SET token_hash = EXCLUDED.token_hash, made_by = EXCLUDED.made_by, expires_at = EXCLUDED.expires_at;

-- ResetLinkUser returns the user of a valid link. Its creator must still have every permission of the user, and be
-- active.
-- name: ResetLinkUser :one
-- system: a link contains the token only; the account follows from it.
SELECT l.account_id, l.user_id, u.email, u.name
FROM reset_link l JOIN app_user u ON u.id = l.user_id JOIN role r ON r.id = u.role_id
WHERE l.token_hash = @token_hash AND l.expires_at > now() AND u.active
  AND (l.made_by IS NULL OR EXISTS (SELECT FROM app_user m JOIN role mr ON mr.id = m.role_id
    WHERE m.id = l.made_by AND m.active
      AND mr.permissions @> r.permissions AND mr.permissions @> ARRAY['api.access', 'users.manage']));

-- UseResetLink deletes a link. Of concurrent calls only one affects a row.
-- name: UseResetLink :execrows
-- system: a link contains the token only, as for ResetLinkUser.
DELETE FROM reset_link WHERE token_hash = @token_hash;

-- EndSignIns ends a user's sessions and revokes the user's reset link.
-- name: EndSignIns :exec
WITH ended AS (DELETE FROM session s WHERE s.account_id = @account_id AND s.user_id = @user_id)
DELETE FROM reset_link l WHERE l.account_id = @account_id AND l.user_id = @user_id;

-- name: DropExpiredResetLinks :exec
-- system: links of every account.
DELETE FROM reset_link WHERE expires_at < now();
