-- name: InsertSession :exec
INSERT INTO session (id, account_id, user_id, token_hash, address, user_agent, expires_at)
VALUES (@id, @account_id, @user_id, @token_hash, @address, @user_agent, @expires_at);

-- UseSession returns the columns of UserByEmail for the user of a token. It updates used_at at most once a minute.
-- name: UseSession :one
-- system: a cookie contains the token only; the account follows from it.
WITH found AS (
    SELECT s.id, s.user_id, s.used_at, s.expires_at FROM session s
    WHERE s.token_hash = @token_hash AND s.used_at > @idle_since AND s.expires_at > now()
), touched AS (
    UPDATE session t SET used_at = now() FROM found f WHERE t.id = f.id AND f.used_at < now() - interval '1 minute'
)
SELECT f.id AS session_id, f.expires_at, u.id, u.account_id, u.email, u.name, u.kind, u.password_hash, u.active,
    r.id AS role_id, r.name AS role, r.permissions, u.default_workflow_profile_id,
    a.default_workflow_profile_id AS account_default_profile_id
FROM found f JOIN app_user u ON u.id = f.user_id JOIN role r ON r.id = u.role_id
    JOIN account a ON a.id = u.account_id;

-- name: LiveSessions :many
-- system: the sessions of all accounts with open connections on this node.
SELECT id FROM session WHERE id = ANY (@ids::uuid[]) AND expires_at > now();

-- name: ListSessions :many
SELECT id, address, user_agent, created_at, used_at, expires_at FROM session
WHERE account_id = @account_id AND user_id = @user_id AND used_at > @idle_since AND expires_at > now()
ORDER BY used_at DESC, id LIMIT 1000;

-- name: EndSession :execrows
DELETE FROM session WHERE account_id = @account_id AND user_id = @user_id AND id = @id;

-- name: EndSessions :execrows
DELETE FROM session WHERE account_id = @account_id AND user_id = @user_id;

-- EndSessionByToken returns the session's user.
-- name: EndSessionByToken :one
-- system: a cookie contains the token only, as for UseSession.
WITH ended AS (DELETE FROM session s WHERE s.token_hash = @token_hash RETURNING s.account_id, s.user_id)
SELECT e.account_id, e.user_id, u.email FROM ended e JOIN app_user u ON u.id = e.user_id;

-- name: DropExpiredSessions :exec
-- system: sessions of every account.
DELETE FROM session WHERE expires_at < now() OR used_at < @idle_since;
