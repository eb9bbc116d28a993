-- Quotas of accounts, what their files hold, and the turns of processing. Existing accounts have no quotas.

-- +goose Up
ALTER TABLE account
    ADD COLUMN quota_bytes         bigint CHECK (quota_bytes > 0),           -- null: no limit, as for the others
    ADD COLUMN quota_minutes       bigint CHECK (quota_minutes > 0),
    ADD COLUMN quota_parallel_jobs integer CHECK (quota_parallel_jobs > 0);

ALTER TABLE upload
    ADD COLUMN reserved_minutes integer NOT NULL DEFAULT 1, -- until processing has measured the length
    DROP CONSTRAINT upload_way_check,
    ADD CONSTRAINT upload_way_check CHECK (way IN ('form', 'tus', 'url'));

ALTER TABLE media_file
    ADD COLUMN profile_id   uuid,   -- the workflow profile of its item, once it is published; null: it has none
    ADD COLUMN milliseconds bigint; -- the length of a source; null: the file has none that counts

-- Sources that are there count the length that their item shows, or else a minute.
UPDATE media_file f SET profile_id = i.workflow_profile_id, milliseconds = (
        SELECT coalesce(round(i.duration * 1000), 60000) FROM asset a
        WHERE a.item_id = i.id AND a.id = f.asset_id AND a.kind = 'source'
            AND (f.content_type LIKE 'video/%' OR f.content_type LIKE 'audio/%'))
FROM item i WHERE i.id = f.item_id AND i.account_id = f.account_id AND f.state = 'published';

-- What the published files of an account hold is the sum of its rows here. Rows are only added, in the transactions
-- that publish and drop files, so that those never wait for each other. Merging rows changes no sum.
CREATE TABLE media_usage (
    account_id   uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    profile_id   uuid,            -- null: of items without a workflow profile
    bytes        bigint NOT NULL, -- more, or less when negative
    milliseconds bigint NOT NULL
);
CREATE INDEX media_usage_by_account ON media_usage (account_id);

INSERT INTO media_usage (account_id, profile_id, bytes, milliseconds)
SELECT account_id, profile_id, sum(size), sum(coalesce(milliseconds, 0)) FROM media_file WHERE state = 'published'
GROUP BY account_id, profile_id;

-- +goose StatementBegin
CREATE FUNCTION count_media_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO media_usage (account_id, profile_id, bytes, milliseconds)
    SELECT c.account_id, c.profile_id, sum(c.bytes), sum(c.milliseconds)
    FROM (
        SELECT n.account_id, n.profile_id, n.size AS bytes, coalesce(n.milliseconds, 0) AS milliseconds
        FROM new_files n WHERE n.state = 'published'
        UNION ALL
        SELECT o.account_id, o.profile_id, -o.size, -coalesce(o.milliseconds, 0)
        FROM old_files o WHERE o.state = 'published'
    ) c
    GROUP BY c.account_id, c.profile_id HAVING sum(c.bytes) <> 0 OR sum(c.milliseconds) <> 0;
    RETURN NULL;
END
$$;

-- A deleted item's files hold nothing from its commit on. Their bytes go after the grace.
CREATE FUNCTION drop_files_of_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE media_file SET state = 'dropped', changed_at = now() WHERE item_id = OLD.id AND state = 'published';
    RETURN NULL;
END
$$;

CREATE FUNCTION move_files_of_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE media_file SET profile_id = NEW.workflow_profile_id WHERE item_id = NEW.id AND state = 'published';
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER media_file_counted AFTER UPDATE ON media_file
    REFERENCING OLD TABLE AS old_files NEW TABLE AS new_files
    FOR EACH STATEMENT EXECUTE FUNCTION count_media_usage();
CREATE TRIGGER item_deleted_files AFTER DELETE ON item FOR EACH ROW EXECUTE FUNCTION drop_files_of_item();
CREATE TRIGGER item_moved_files AFTER UPDATE OF workflow_profile_id ON item FOR EACH ROW
    WHEN (OLD.workflow_profile_id IS DISTINCT FROM NEW.workflow_profile_id) EXECUTE FUNCTION move_files_of_item();

-- When the processor last took a step of an account: accounts take turns.
CREATE TABLE process_turn (
    account_id uuid PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    taken_at   timestamptz NOT NULL
);
CREATE INDEX workflow_run_process ON workflow_run (account_id)
    WHERE process_action IS NOT NULL AND finished_at IS NULL;
