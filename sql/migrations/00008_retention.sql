-- +goose Up
-- The log is dropped from its old end, by the partition; positions go with the changes that they number. A partitioned table has no unique key
-- without its partition key, so that change_id has none any more: that no change is numbered twice is the sequencer's to see to, whose steps
-- come one after the other.
ALTER TABLE item_position DROP CONSTRAINT item_position_change_id_key;
ALTER TABLE item_position RENAME CONSTRAINT item_position_pkey TO item_position_first_pkey;
ALTER TABLE item_position RENAME TO item_position_first;
CREATE TABLE item_position (
    position  bigint PRIMARY KEY,
    change_id bigint NOT NULL
) PARTITION BY RANGE (position);
CREATE INDEX item_position_change ON item_position (change_id);

-- +goose StatementBegin
DO $$
DECLARE
    size  CONSTANT bigint := 250000;
    first bigint := (SELECT h.position / size FROM feed_head h ORDER BY h.step DESC LIMIT 1);
    name  text := 'item_position_' || lpad(first::text, 6, '0');
BEGIN
    EXECUTE format('ALTER TABLE item_position_first RENAME TO %I', name);
    EXECUTE format('ALTER TABLE item_position ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%s)', name, (first + 1) * size);
END
$$;

-- Makes sure that there are partitions for the next `ahead` changes and positions. Made as a table and then attached, because ATTACH lets
-- writers go on, where CREATE … PARTITION OF locks them out. Returns how many were made.
CREATE OR REPLACE FUNCTION item_change_extend(ahead bigint) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('itemcast item_change_extend'));
    RETURN log_extend('item_change', (SELECT last_value FROM item_change_id), ahead)
        + log_extend('item_position', (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1), ahead);
END
$$;

CREATE FUNCTION log_extend(parent text, next bigint, ahead bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    size  CONSTANT bigint := 250000;
    first bigint := next - next % size;
    name  text;
    made  integer := 0;
BEGIN
    WHILE first <= next + ahead LOOP
        name := parent || '_' || lpad((first / size)::text, 6, '0');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name, parent);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, name, first, first + size);
            made := made + 1;
        END IF;
        first := first + size;
    END LOOP;
    RETURN made;
END
$$;

-- The partitions of a table of the log, the oldest first. One that is on its way out is detaching, or has no bounds any more.
CREATE FUNCTION log_partitions(parent text) RETURNS TABLE (name text, lower bigint, upper bigint, bytes bigint, detaching boolean)
LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, coalesce(substring(b.bounds FROM 'FROM \(''(\d+)')::bigint, 0), coalesce(substring(b.bounds FROM 'TO \(''(\d+)')::bigint, 0),
        pg_total_relation_size(c.oid), coalesce(i.inhdetachpending, true)
    FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds) b
    WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = parent::regclass) AND c.relname ~ ('^' || parent || '_\d{6}$')
    ORDER BY 3
$$;
-- +goose StatementEnd

-- The last revisions of items whose deletion the log no longer tells: one of the same id goes on from there.
CREATE TABLE item_tombstone (
    account_id uuid NOT NULL,
    item_id    uuid NOT NULL,
    revision   bigint NOT NULL,
    PRIMARY KEY (account_id, item_id)
);

-- +goose Down
DROP TABLE item_tombstone;
DROP FUNCTION log_partitions;
CREATE TABLE item_position_whole (
    position  bigint PRIMARY KEY,
    change_id bigint NOT NULL UNIQUE
);
INSERT INTO item_position_whole SELECT position, change_id FROM item_position;
DROP TABLE item_position;
ALTER TABLE item_position_whole RENAME TO item_position;
