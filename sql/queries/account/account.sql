-- name: InsertAccount :exec
INSERT INTO account (id, name) VALUES (@id, @name);

-- name: AnyAccount :one
-- system: asks whether this is the first start.
SELECT id, name FROM account ORDER BY created_at LIMIT 1;

-- LockFirstStart lets one of several nodes that start together make the account.
-- name: LockFirstStart :exec
-- system: before there is an account.
SELECT pg_advisory_xact_lock(hashtext('itemcast first start'));

-- name: InsertRole :exec
INSERT INTO role (id, account_id, name, permissions) VALUES (@id, @account_id, @name, @permissions);

-- name: InsertUser :exec
INSERT INTO app_user (id, account_id, role_id, email, name, password_hash) VALUES (@id, @account_id, @role_id, @email, @name, @password_hash);

-- LockAccess has one change of an account's users and roles come after the other: that an administrator is left, and that nobody gives more
-- than they have, is true of all of them together.
-- name: LockAccess :exec
SELECT pg_advisory_xact_lock(hashtext('itemcast access ' || (@account_id::uuid)::text));

-- name: UserByEmail :one
-- system: a sign-in names an e-mail address and nothing else; the account follows from it.
SELECT u.id, u.account_id, u.email, u.name, u.kind, u.password_hash, u.active, r.id AS role_id, r.name AS role, r.permissions
FROM app_user u JOIN role r ON r.id = u.role_id
WHERE lower(u.email) = lower(@email);

-- SignInsByID returns the columns of UserByEmail.
-- name: SignInsByID :many
-- system: who keeps something open on this node, whatever the account.
SELECT u.id, u.account_id, u.email, u.name, u.kind, u.password_hash, u.active, r.id AS role_id, r.name AS role, r.permissions
FROM app_user u JOIN role r ON r.id = u.role_id
WHERE u.id = ANY (@ids::uuid[]);

-- ActorNow returns the columns of UserByEmail of one who is active, and whose session lives, if it is by a session.
-- name: ActorNow :one
SELECT u.id, u.account_id, u.email, u.name, u.kind, u.password_hash, u.active, r.id AS role_id, r.name AS role, r.permissions
FROM app_user u JOIN role r ON r.id = u.role_id
WHERE u.account_id = @account_id AND u.id = @id AND u.active
  AND (sqlc.narg('session_id')::uuid IS NULL
    OR EXISTS (SELECT FROM session s WHERE s.user_id = u.id AND s.id = sqlc.narg('session_id')::uuid AND s.expires_at > now()));

-- name: UsersByID :many
SELECT id, email, name FROM app_user WHERE account_id = @account_id AND id = ANY (@ids::uuid[]);
