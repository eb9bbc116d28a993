-- +goose Up
-- The log of item changes; internal/change/doc.go says what it promises and why it is laid out so.
-- A sequence of its own and not an identity column, because partitioned tables have those only from PostgreSQL 17 on.
CREATE SEQUENCE item_change_id AS bigint CACHE 1;

CREATE TABLE item_change (
    id             bigint NOT NULL DEFAULT nextval('item_change_id') PRIMARY KEY,
    account_id     uuid NOT NULL,
    item_id        uuid NOT NULL,
    revision       bigint NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('CREATED', 'UPDATED', 'DELETED', 'TRIGGERED')),
    changed_fields text[] NOT NULL,
    previous       json NOT NULL,                    -- what the changed fields were before
    actor          uuid,                             -- the user; null: the system
    trigger        text NOT NULL,
    targets        uuid[],                           -- the hooks that a TRIGGERED is addressed to; null: all that want it
    document       bytea NOT NULL,
    occurred_at    timestamptz NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX item_change_history ON item_change (item_id, id);

-- Positions are given by the sequencer, densely, in a row of their own, so that the log itself is never rewritten.
CREATE TABLE item_position (
    position  bigint PRIMARY KEY,
    change_id bigint NOT NULL UNIQUE
);

-- What the sequencer knows. The newest row counts; older ones are deleted at leisure. One row updated in place would, while a
-- transaction is left open anywhere, grow a chain of dead versions that every reader walks.
CREATE TABLE feed_head (
    step       bigint PRIMARY KEY,
    position   bigint NOT NULL,                      -- the last position given
    scanned_to bigint NOT NULL,                      -- every change id up to this one has a position, is a gap, or will never be
    gaps       bigint[] NOT NULL,                    -- ids below scanned_to that no snapshot has shown yet
    horizons   bigint[] NOT NULL                     -- for each gap: when all transactions below this xid have ended, it is
                                                     -- dead; 2⁶³-1 while not known (the step after sets it)
);
INSERT INTO feed_head VALUES (0, 0, 0, '{}', '{}');

CREATE TABLE feed (
    epoch uuid NOT NULL DEFAULT gen_random_uuid(),   -- part of every cursor: a restored or replaced log does not honour old ones
    floor bigint NOT NULL DEFAULT 0                  -- positions up to this one are no longer kept
);
INSERT INTO feed DEFAULT VALUES;

-- Where durable consumers stand. The highest row counts, as in feed_head.
CREATE TABLE consumer_position (
    consumer text NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (consumer, position)
);

-- Makes sure that partitions exist for the next `ahead` change ids. Made as a table and then attached, because ATTACH lets
-- writers go on, where CREATE … PARTITION OF locks them out. Returns how many were made.
-- +goose StatementBegin
CREATE FUNCTION item_change_extend(ahead bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    size  CONSTANT bigint := 250000;
    next  bigint := (SELECT last_value FROM item_change_id);
    first bigint;
    name  text;
    made  integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('itemcast item_change_extend'));
    first := next - next % size;
    WHILE first <= next + ahead LOOP
        name := 'item_change_' || lpad((first / size)::text, 6, '0');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE item_change INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
            EXECUTE format('ALTER TABLE item_change ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, first + size);
            made := made + 1;
        END IF;
        first := first + size;
    END LOOP;
    RETURN made;
END
$$;
-- +goose StatementEnd
SELECT item_change_extend(500000);

-- +goose Down
DROP FUNCTION item_change_extend;
DROP TABLE consumer_position, feed, feed_head, item_position, item_change;
DROP SEQUENCE item_change_id;
