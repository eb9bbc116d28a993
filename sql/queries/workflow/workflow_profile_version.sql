-- name: InsertWorkflowProfileVersion :exec
INSERT INTO workflow_profile_version (account_id, profile_id, version, actions, tasks)
VALUES (@account_id, @profile_id, @version, @actions, @tasks);

-- name: ListWorkflowProfileVersions :many
SELECT version, actions, tasks, created_at FROM workflow_profile_version
WHERE account_id = @account_id AND profile_id = @profile_id
  AND (sqlc.narg('before_version')::integer IS NULL OR version < sqlc.narg('before_version')::integer)
ORDER BY version DESC LIMIT @max_rows;

-- name: GetWorkflowProfileVersion :one
SELECT version, actions, tasks, created_at FROM workflow_profile_version
WHERE account_id = @account_id AND profile_id = @profile_id AND version = @version;
