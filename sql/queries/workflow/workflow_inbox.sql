-- name: WaitsForRole :one
-- Whether users with a role may act at an action, in the version of the profile with which the run began that an item
-- had at a time. The runs of a deleted item are gone: then any version of the profile counts, so that an inbox which
-- had the item is told.
SELECT COALESCE(
    (SELECT action -> 'role_ids' = '[]' OR action -> 'role_ids' ? @role_id::text
     FROM workflow_run r
     JOIN workflow_profile_version v ON v.account_id = r.account_id AND v.profile_id = r.profile_id
         AND v.version = r.profile_version
     CROSS JOIN LATERAL jsonb_array_elements(v.actions) AS action
     WHERE r.account_id = @account_id AND r.item_id = @item_id AND r.profile_id = @profile_id AND r.started_at <= @at
         AND action ->> 'key' = @action::text
     ORDER BY r.id DESC
     LIMIT 1),
    (SELECT bool_or(action -> 'role_ids' = '[]' OR action -> 'role_ids' ? @role_id::text)
     FROM workflow_profile_version v
     CROSS JOIN LATERAL jsonb_array_elements(v.actions) AS action
     WHERE v.account_id = @account_id AND v.profile_id = @profile_id AND action ->> 'key' = @action::text),
    false)::boolean AS waits;
