-- name: InsertAccount :exec
INSERT INTO account (id, name) VALUES (@id, @name);

-- name: AnyAccount :one
-- system: whether this is the first start; the operator acts in the first account.
SELECT id, name, default_workflow_profile_id FROM account ORDER BY created_at LIMIT 1;

-- name: GetAccount :one
-- system: the row of the account itself.
SELECT name, default_workflow_profile_id, frame_ancestors, quota_bytes, quota_minutes, quota_parallel_jobs, created_at, updated_at,
    revision FROM account WHERE id = @account_id;

-- UpdateAccount returns the columns of GetAccount.
-- name: UpdateAccount :one
-- system: the row of the account itself.
UPDATE account SET name = @name, default_workflow_profile_id = sqlc.narg('default_workflow_profile_id'),
    frame_ancestors = @frame_ancestors, quota_bytes = sqlc.narg('quota_bytes'), quota_minutes = sqlc.narg('quota_minutes'),
    quota_parallel_jobs = sqlc.narg('quota_parallel_jobs'), updated_at = now(), revision = revision + 1
WHERE id = @account_id
RETURNING name, default_workflow_profile_id, frame_ancestors, quota_bytes, quota_minutes, quota_parallel_jobs, created_at, updated_at,
    revision;

-- LockFirstStart makes concurrent first starts take turns.
-- name: LockFirstStart :exec
-- system: there is no account yet.
SELECT pg_advisory_xact_lock(hashtext('itemcast first start'));

-- name: InsertRole :exec
INSERT INTO role (id, account_id, name, permissions) VALUES (@id, @account_id, @name, @permissions);

-- name: InsertFirstUser :exec
INSERT INTO app_user (id, account_id, role_id, email, name, password_hash)
VALUES (@id, @account_id, @role_id, @email, @name, @password_hash);

-- LockAccess serializes the changes of an account's users and roles, so that the two rules of account.Service hold
-- for all of them together.
-- name: LockAccess :exec
SELECT pg_advisory_xact_lock(hashtext('itemcast access ' || (@account_id::uuid)::text));

-- name: UserByEmail :one
-- system: a sign-in gives an e-mail address only; the account follows from it.
SELECT u.id, u.account_id, u.email, u.name, u.kind, u.password_hash, u.active,
    r.id AS role_id, r.name AS role, r.permissions, u.default_workflow_profile_id,
    a.default_workflow_profile_id AS account_default_profile_id
FROM app_user u JOIN role r ON r.id = u.role_id JOIN account a ON a.id = u.account_id
WHERE lower(u.email) = lower(@email);

-- SignInsByID returns the columns of UserByEmail.
-- name: SignInsByID :many
-- system: the users of all accounts with open connections on this node.
SELECT u.id, u.account_id, u.email, u.name, u.kind, u.password_hash, u.active,
    r.id AS role_id, r.name AS role, r.permissions, u.default_workflow_profile_id,
    a.default_workflow_profile_id AS account_default_profile_id
FROM app_user u JOIN role r ON r.id = u.role_id JOIN account a ON a.id = u.account_id
WHERE u.id = ANY (@ids::uuid[]);

-- ActorNow returns the columns of UserByEmail for an active user. With a session_id, that session must not have ended.
-- name: ActorNow :one
SELECT u.id, u.account_id, u.email, u.name, u.kind, u.password_hash, u.active,
    r.id AS role_id, r.name AS role, r.permissions, u.default_workflow_profile_id,
    a.default_workflow_profile_id AS account_default_profile_id
FROM app_user u JOIN role r ON r.id = u.role_id JOIN account a ON a.id = u.account_id
WHERE u.account_id = @account_id AND u.id = @id AND u.active
  AND (sqlc.narg('session_id')::uuid IS NULL
    OR EXISTS (SELECT FROM session s
      WHERE s.user_id = u.id AND s.id = sqlc.narg('session_id')::uuid AND s.expires_at > now()));

-- name: UsersByID :many
SELECT id, email, name FROM app_user WHERE account_id = @account_id AND id = ANY (@ids::uuid[]);
