-- name: ListRoles :many
SELECT id, name, permissions, created_at, updated_at, revision FROM role
WHERE account_id = @account_id AND (sqlc.narg('before_id')::uuid IS NULL OR id < sqlc.narg('before_id')::uuid)
ORDER BY id DESC LIMIT @max_rows;

-- name: GetRole :one
SELECT id, name, permissions, created_at, updated_at, revision FROM role WHERE account_id = @account_id AND id = @id;

-- name: RoleByName :one
SELECT id FROM role WHERE account_id = @account_id AND lower(name) = lower(@name) ORDER BY name = @name DESC LIMIT 1;

-- name: RoleNameTaken :one
SELECT EXISTS (SELECT FROM role WHERE account_id = @account_id AND lower(btrim(name)) = lower(@name) AND id <> @id);

-- name: UpdateRole :exec
UPDATE role SET name = @name, permissions = @permissions, updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id;

-- RoleUses counts what prevents the deletion of a role.
-- name: RoleUses :one
SELECT (SELECT count(*) FROM app_user u WHERE u.account_id = @account_id AND u.role_id = @id) AS users,
    (SELECT count(*) FROM workflow_profile p
      WHERE p.account_id = @account_id AND (@id::uuid = ANY (p.role_ids)
        OR jsonb_path_exists(p.actions, '$[*].role_ids[*] ? (@ == $id)', jsonb_build_object('id', @id::uuid)))) AS profiles;

-- name: DeleteRole :exec
DELETE FROM role WHERE account_id = @account_id AND id = @id;

-- UnknownRoles returns the ids that are not roles of the account.
-- name: UnknownRoles :many
SELECT wanted::uuid AS id FROM unnest(@ids::uuid[]) AS wanted
WHERE NOT EXISTS (SELECT FROM role r WHERE r.account_id = @account_id AND r.id = wanted);

-- RoleUsers returns the account's roles, with the number of their active users.
-- name: RoleUsers :many
SELECT r.id, r.name, r.permissions,
    (SELECT count(*) FROM app_user u WHERE u.account_id = @account_id AND u.role_id = r.id AND u.active) AS active_users
FROM role r WHERE r.account_id = @account_id ORDER BY r.name;
