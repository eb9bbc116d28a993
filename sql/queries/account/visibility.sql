-- HiddenProfiles returns the profiles that statements on items leave out.
-- name: HiddenProfiles :one
SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid)::uuid[] AS ids;
