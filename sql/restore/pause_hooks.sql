-- A copy must not send what the original sends.
UPDATE hook SET active = false, disabled_reason = 'Paused by itemcast restore. Set active to true to resume.',
    updated_at = now(), revision = revision + 1
WHERE active AND deleted_at IS NULL;
