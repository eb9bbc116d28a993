-- DefaultProfile reports which of two roles see the items of a workflow profile. The null role sees all items. There is
-- no row for a profile that the account lacks.
-- name: DefaultProfile :one
SELECT (p.id <> ALL (hidden_profiles(@account_id, sqlc.narg('actor_role')::uuid)))::boolean AS actor_sees_it,
    (p.id <> ALL (hidden_profiles(@account_id, sqlc.narg('user_role')::uuid)))::boolean AS user_sees_it
FROM workflow_profile p WHERE p.account_id = @account_id AND p.id = @id;

-- name: ClearAccountDefault :execrows
-- system: the row of the account itself.
UPDATE account SET default_workflow_profile_id = NULL, updated_at = now(), revision = revision + 1
WHERE id = @account_id AND default_workflow_profile_id = @profile_id::uuid;

-- name: ClearUserDefaults :many
UPDATE app_user SET default_workflow_profile_id = NULL, updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND default_workflow_profile_id = @profile_id::uuid
RETURNING id;
