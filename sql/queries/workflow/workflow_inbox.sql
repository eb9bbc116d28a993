-- name: RolesOfWaitingAction :one
-- The roles of an action, in the version of the profile with which the run began that an item had at a time.
SELECT ARRAY(SELECT jsonb_array_elements_text(action -> 'role_ids')::uuid)::uuid[] AS role_ids
FROM workflow_run r
JOIN workflow_profile_version v ON v.profile_id = r.profile_id AND v.version = r.profile_version
    AND v.account_id = r.account_id
CROSS JOIN LATERAL jsonb_array_elements(v.actions) AS action
WHERE r.account_id = @account_id AND r.item_id = @item_id AND r.profile_id = @profile_id AND r.started_at <= @at
    AND action ->> 'key' = @action::text
ORDER BY r.id DESC
LIMIT 1;
