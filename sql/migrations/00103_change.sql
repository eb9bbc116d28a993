-- The log of item changes. internal/change/doc.go says what it promises, and why it is laid out this way.

-- +goose Up
-- A sequence rather than an identity column: partitioned tables have identity columns only since PostgreSQL 17.
CREATE SEQUENCE item_change_id AS bigint CACHE 1;

CREATE TABLE item_change (
    id             bigint NOT NULL DEFAULT nextval('item_change_id') PRIMARY KEY,
    account_id     uuid NOT NULL,
    item_id        uuid NOT NULL,
    revision       bigint NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('CREATED', 'UPDATED', 'DELETED', 'TRIGGERED')),
    changed_fields text[] NOT NULL,
    previous       json NOT NULL,                    -- the changed fields' values before the change
    actor          uuid,                             -- the user; null: the system
    trigger        text NOT NULL,
    targets        uuid[],                           -- the hooks that a TRIGGERED change is for; null: every hook that
                                                     -- matches it
    document       bytea NOT NULL,
    occurred_at    timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX item_change_history ON item_change (item_id, id);

-- The sequencer assigns dense positions in rows of their own, so that rows of the log are never rewritten. A unique key
-- of a partitioned table must include the partition key, so change_id has none. The sequencer, whose steps run one
-- after another, assigns one position to each change.
CREATE TABLE item_position (
    position  bigint PRIMARY KEY,
    change_id bigint NOT NULL
) PARTITION BY RANGE (position);
CREATE INDEX item_position_change ON item_position (change_id);

-- The sequencer's state. The newest row counts; older ones are deleted later. A single row updated in place would grow
-- a chain of dead versions while any transaction stays open, and every reader would walk that chain.
CREATE TABLE feed_head (
    step       bigint PRIMARY KEY,
    position   bigint NOT NULL,                      -- the last position assigned
    scanned_to bigint NOT NULL,                      -- every change id up to this one has a position, is a gap, or was
                                                     -- rolled back
    gaps       bigint[] NOT NULL,                    -- ids below scanned_to that no snapshot has shown yet
    horizons   bigint[] NOT NULL                     -- for each gap, an xid: once all transactions below it have ended,
                                                     -- the gap was rolled back. 2⁶³-1: the next step sets it.
);
INSERT INTO feed_head VALUES (0, 0, 0, '{}', '{}');

CREATE TABLE feed (
    epoch uuid NOT NULL DEFAULT gen_random_uuid(),   -- part of every cursor, so that a restored or replaced log refuses
                                                     -- the cursors of another
    floor bigint NOT NULL DEFAULT 0                  -- positions up to this one have been dropped
);
INSERT INTO feed DEFAULT VALUES;

-- The positions of durable consumers. As in feed_head, a consumer's highest row counts.
CREATE TABLE consumer_position (
    consumer text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (consumer, position)
);

-- The last revisions of deleted items whose deletion is no longer in the log. A new item with the same id continues
-- from there.
CREATE TABLE item_tombstone (
    account_id uuid NOT NULL,
    item_id    uuid NOT NULL,
    revision   bigint NOT NULL,
    PRIMARY KEY (account_id, item_id)
);

-- +goose StatementBegin
-- log_extend creates the partitions of one table of the log for the numbers from next to next + ahead, and returns how
-- many it created. It creates a table and attaches it: ATTACH PARTITION does not block writers, CREATE … PARTITION OF
-- does.
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
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                parent, name, first, first + size);
            made := made + 1;
        END IF;
        first := first + size;
    END LOOP;
    RETURN made;
END
$$;

-- item_change_extend creates the partitions of the whole log, including the attempts of hooks, for the next `ahead`
-- changes and positions. It returns how many it created.
CREATE FUNCTION item_change_extend(ahead bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    placed bigint := (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('itemcast item_change_extend'));
    RETURN log_extend('item_change', (SELECT last_value FROM item_change_id), ahead)
        + log_extend('item_position', placed, ahead) + log_extend('delivery_attempt', placed, ahead);
END
$$;

-- log_partitions lists the partitions of a table of the log, oldest first. A partition that is being dropped is
-- detaching, or is detached and has no bounds.
CREATE FUNCTION log_partitions(parent text)
RETURNS TABLE (name text, lower bigint, upper bigint, bytes bigint, detaching boolean) LANGUAGE sql STABLE AS $$
    SELECT c.relname::text, coalesce(substring(b.bounds FROM 'FROM \(''(\d+)')::bigint, 0),
        coalesce(substring(b.bounds FROM 'TO \(''(\d+)')::bigint, 0),
        pg_total_relation_size(c.oid), coalesce(i.inhdetachpending, true)
    FROM pg_class c
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    CROSS JOIN LATERAL (SELECT pg_get_expr(c.relpartbound, c.oid) AS bounds) b
    WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = parent::regclass)
        AND c.relname ~ ('^' || parent || '_\d{6}$')
    ORDER BY 3
$$;
-- +goose StatementEnd
