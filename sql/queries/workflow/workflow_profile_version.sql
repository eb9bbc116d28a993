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

-- WorkflowProfileVersions returns versions of profiles.
-- name: WorkflowProfileVersions :many
SELECT v.profile_id, v.version, v.actions, v.tasks FROM workflow_profile_version v
JOIN (SELECT unnest(@profile_ids::uuid[]) AS profile_id, unnest(@versions::integer[]) AS version) n
    ON n.profile_id = v.profile_id AND n.version = v.version
WHERE v.account_id = @account_id;
