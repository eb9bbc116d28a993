-- ListWorkflowProfiles omits the profiles whose items are hidden from the role.
-- name: ListWorkflowProfiles :many
SELECT id, name, description, role_ids, version, actions, tasks, uploads, old_secret_until, old_upload_secret_until,
    (upload_secret IS NOT NULL)::boolean AS has_upload_secret, created_at, updated_at, revision
FROM workflow_profile
WHERE account_id = @account_id AND (sqlc.narg('before_id')::uuid IS NULL OR id < sqlc.narg('before_id')::uuid)
  AND id <> ALL (hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))
ORDER BY id DESC LIMIT @max_rows;

-- name: GetWorkflowProfile :one
SELECT id, name, description, role_ids, version, actions, tasks, uploads, old_secret_until, old_upload_secret_until,
    (upload_secret IS NOT NULL)::boolean AS has_upload_secret, created_at, updated_at, revision
FROM workflow_profile
WHERE account_id = @account_id AND id = @id AND id <> ALL (hidden_profiles(@account_id, sqlc.narg('role_id')::uuid));

-- name: LockWorkflowProfile :one
SELECT id, name, description, role_ids, version, actions, tasks, uploads, old_secret_until, old_upload_secret_until,
    (upload_secret IS NOT NULL)::boolean AS has_upload_secret, created_at, updated_at, revision
FROM workflow_profile
WHERE account_id = @account_id AND id = @id FOR UPDATE;

-- name: InsertWorkflowProfile :one
INSERT INTO workflow_profile (id, account_id, name, description, role_ids, actions, tasks, uploads, secret)
VALUES (@id, @account_id, @name, @description, @role_ids, @actions, @tasks, @uploads, sqlc.narg('secret'))
ON CONFLICT (account_id, name) DO NOTHING
RETURNING id, name, description, role_ids, version, actions, tasks, uploads, old_secret_until, old_upload_secret_until,
    (upload_secret IS NOT NULL)::boolean AS has_upload_secret, created_at, updated_at, revision;

-- name: WorkflowProfileNameTaken :one
SELECT EXISTS (SELECT FROM workflow_profile WHERE account_id = @account_id AND name = @name AND id <> @id);

-- UpdateWorkflowProfile sets the secret only if there is none.
-- name: UpdateWorkflowProfile :one
UPDATE workflow_profile SET name = @name, description = @description, role_ids = @role_ids, version = @version,
    actions = @actions, tasks = @tasks, uploads = @uploads, secret = coalesce(secret, sqlc.narg('secret')),
    updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id
RETURNING id, name, description, role_ids, version, actions, tasks, uploads, old_secret_until, old_upload_secret_until,
    (upload_secret IS NOT NULL)::boolean AS has_upload_secret, created_at, updated_at, revision;

-- RotateWorkflowSecret retains the previous secret, if there is one, for keep_for seconds.
-- name: RotateWorkflowSecret :one
UPDATE workflow_profile SET secret = @secret, old_secret = CASE WHEN @keep_for::float8 > 0 THEN secret END,
    old_secret_until = CASE WHEN secret IS NOT NULL AND @keep_for::float8 > 0
        THEN now() + make_interval(secs => @keep_for::float8) END,
    updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id
RETURNING old_secret_until;

-- RotateUploadSecret retains the previous secret, if there is one, for keep_for seconds.
-- name: RotateUploadSecret :one
UPDATE workflow_profile SET upload_secret = @secret,
    old_upload_secret = CASE WHEN @keep_for::float8 > 0 THEN upload_secret END,
    old_upload_secret_until = CASE WHEN upload_secret IS NOT NULL AND @keep_for::float8 > 0
        THEN now() + make_interval(secs => @keep_for::float8) END,
    updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id
RETURNING old_upload_secret_until;

-- name: UploadTerms :one
-- system: a ticket names a profile and no account; its signature by the profile's secret proves the account
SELECT account_id, uploads, upload_secret, old_upload_secret, old_upload_secret_until FROM workflow_profile WHERE id = @id;

-- name: WorkflowSecrets :one
SELECT secret, old_secret, old_secret_until FROM workflow_profile WHERE account_id = @account_id AND id = @id;

-- WorkflowProfileUses counts what prevents the deletion of a profile.
-- name: WorkflowProfileUses :one
SELECT (SELECT count(*) FROM item i WHERE i.account_id = @account_id AND i.workflow_profile_id = @id::uuid) AS items,
    (SELECT count(*) FROM workflow_run r
      WHERE r.account_id = @account_id AND r.profile_id = @id::uuid AND r.finished_at IS NULL) AS runs;

-- DeleteWorkflowProfile keeps who may see the documents that the log has of the profile's items.
-- name: DeleteWorkflowProfile :exec
WITH deleted AS (
    DELETE FROM workflow_profile p WHERE p.account_id = @account_id AND p.id = @id RETURNING p.id, p.account_id, p.role_ids
)
INSERT INTO deleted_workflow_profile (id, account_id, role_ids)
SELECT d.id, d.account_id, d.role_ids FROM deleted d WHERE d.role_ids <> '{}';

-- UnfinishedVersions returns the versions of a profile that runs have which have not ended.
-- name: UnfinishedVersions :many
SELECT DISTINCT profile_version FROM workflow_run
WHERE account_id = @account_id AND profile_id = @profile_id AND finished_at IS NULL;

-- ProfilesWithOldHooks returns profiles with hidden hooks whose URLs their tasks lack.
-- name: ProfilesWithOldHooks :many
-- system: the sweep serves all accounts.
SELECT p.account_id, p.id FROM workflow_profile p
WHERE EXISTS (SELECT FROM hook h
    WHERE h.workflow_profile_id = p.id AND h.last_change IS NULL AND h.deleted_at IS NULL
        AND NOT p.tasks @> jsonb_build_array(jsonb_build_object('url', h.url)))
LIMIT @max_rows;
