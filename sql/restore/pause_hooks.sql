-- A copy must not send what the original sends.
UPDATE hook SET active = false, disabled_reason = CASE WHEN workflow_profile_id IS NULL
        THEN 'Paused by itemcast restore. Set active to true to resume.'
        ELSE 'Paused by itemcast restore. Rotate the secret of the workflow profile to resume its tasks.' END,
    updated_at = now(), revision = revision + 1
WHERE active AND deleted_at IS NULL;
