-- InsertChange comes after the item's row is held in the same transaction: the transaction has its xid by then, before the sequence
-- gives it an id, and an item's ids are in revision order. internal/change/doc.go builds on both.
-- name: InsertChange :exec
INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, actor, trigger, targets, document, occurred_at)
VALUES (@account_id, @item_id, @revision, @kind, @changed_fields, @previous, @actor, @trigger, @targets, @document, @occurred_at);

-- name: LockSequencer :exec
-- system: one sequencer at a time, over all accounts and nodes.
SELECT pg_advisory_xact_lock(hashtext('itemcast sequencer'));

-- name: Head :one
-- system: the log has one head for all accounts.
SELECT step, position, scanned_to, gaps, horizons FROM feed_head ORDER BY step DESC LIMIT 1;

-- Unsequenced reads new ids, filled gaps and the snapshot's bounds in one statement and so in one snapshot.
-- name: Unsequenced :one
-- system: the sequencer serves all accounts.
SELECT ARRAY(SELECT f.id FROM item_change f WHERE f.id > @scanned_to ORDER BY f.id LIMIT @batch)::bigint[] AS fresh,
    ARRAY(SELECT g.id FROM item_change g WHERE g.id = ANY (@gaps::bigint[]))::bigint[] AS filled,
    (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint AS xmin,
    (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint AS xmax;

-- InsertStep gives the ids the positions after `after`, in order, appends the head, and wakes the feeds: one round trip, and no plan that
-- could go wrong.
-- name: InsertStep :exec
-- system: the sequencer serves all accounts.
WITH positions AS (
    INSERT INTO item_position (position, change_id)
    SELECT CAST(@after AS bigint) + u.o, u.id FROM unnest(@ids::bigint[]) WITH ORDINALITY AS u (id, o)
), head AS (
    INSERT INTO feed_head (step, position, scanned_to, gaps, horizons)
    VALUES (@step, @position, @scanned_to, @gaps::bigint[], @horizons::bigint[])
)
SELECT pg_notify('itemcast_position', (@position::bigint)::text);

-- DeleteHeads names both ends: while a snapshot is held open anywhere, what was deleted long ago still lies below, to be walked.
-- name: DeleteHeads :exec
-- system: the sequencer serves all accounts.
DELETE FROM feed_head WHERE step >= @from_step AND step < @to_step;

-- name: FeedIdentity :one
-- system: of the whole log.
SELECT epoch, floor FROM feed LIMIT 1;

-- PositionsAfter and ChangesByID are two statements and not a join, because a join's plan may collapse while statistics are young.
-- name: PositionsAfter :many
-- system: a feed reads the log of all accounts, once; its readers filter by account.
SELECT position, change_id FROM item_position WHERE position > @after ORDER BY position LIMIT @batch;

-- name: ChangesByID :many
-- system: as PositionsAfter.
SELECT id, account_id, item_id, revision, kind, changed_fields, previous, actor, trigger, targets, document, occurred_at
FROM item_change WHERE id = ANY (@ids::bigint[]);

-- name: ItemHistory :many
SELECT p.position, c.id, c.account_id, c.item_id, c.revision, c.kind, c.changed_fields, c.previous, c.actor, c.trigger, c.targets, c.document,
    c.occurred_at
FROM item_change c JOIN item_position p ON p.change_id = c.id
WHERE c.account_id = @account_id AND c.item_id = @item_id AND c.id < @before_id
ORDER BY c.id DESC LIMIT @max_rows;

-- LastRevision is the last one that an item had, should it have been deleted: one of the same id goes on from there.
-- name: LastRevision :one
SELECT coalesce(max(revision), 0)::bigint AS revision FROM item_change WHERE account_id = @account_id AND item_id = @item_id;

-- name: ExtendPartitions :one
-- system: the log of all accounts.
SELECT item_change_extend(@ahead::bigint)::integer AS made;

-- name: ConsumerPosition :one
-- system: a durable consumer follows the log of all accounts.
SELECT position FROM consumer_position WHERE consumer = @consumer ORDER BY position DESC LIMIT 1;

-- name: InsertConsumerPosition :exec
-- system: as ConsumerPosition.
INSERT INTO consumer_position (consumer, position) VALUES (@consumer, @position);

-- DeleteConsumerPosition deletes the one row before the newest, for the reason of DeleteHeads.
-- name: DeleteConsumerPosition :exec
-- system: as ConsumerPosition.
DELETE FROM consumer_position WHERE consumer = @consumer AND position = @position;

-- LockConsumer serializes the nodes that run one durable consumer.
-- name: LockConsumer :exec
-- system: as ConsumerPosition.
SELECT pg_advisory_xact_lock(hashtext('itemcast consumer ' || @consumer::text));
