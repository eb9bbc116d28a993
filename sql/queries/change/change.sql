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

-- ChangesAfter reads in one round trip, on the way of every change to every reader. OFFSET 0 keeps the look-up of each change by its key: as a
-- plain join its plan may collapse while statistics are young. A change whose partition has gone is left out, and its position is missing.
-- name: ChangesAfter :many
-- system: a feed reads the log of all accounts, once; its readers filter by account.
SELECT p.position, c.id, c.account_id, c.item_id, c.revision, c.kind, c.changed_fields, c.previous, c.actor, c.trigger, c.targets, c.document,
    c.occurred_at
FROM item_position p CROSS JOIN LATERAL (SELECT * FROM item_change x WHERE x.id = p.change_id OFFSET 0) c
WHERE p.position > @after ORDER BY p.position LIMIT @batch;

-- ItemHistory tells nothing of an item that is there and hidden from the role. The caller leaves out what was hidden at the time.
-- name: ItemHistory :many
SELECT p.position, c.id, c.account_id, c.item_id, c.revision, c.kind, c.changed_fields, c.previous, c.actor, c.trigger, c.targets, c.document,
    c.occurred_at
FROM item_change c JOIN item_position p ON p.change_id = c.id
WHERE c.account_id = @account_id AND c.item_id = @item_id AND c.id < @before_id
  AND NOT EXISTS (SELECT FROM item i WHERE i.id = @item_id AND i.workflow_profile_id = ANY (hidden_profiles(@account_id, sqlc.narg('role_id')::uuid)))
ORDER BY c.id DESC LIMIT @max_rows;

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

-- TryLockRetention is held by the one node that is at it, for as long as its connection lasts.
-- name: TryLockRetention :one
-- system: the log of all accounts.
SELECT pg_try_advisory_lock(hashtext('itemcast retention')) AS locked;

-- name: UnlockRetention :exec
-- system: as TryLockRetention.
SELECT pg_advisory_unlock(hashtext('itemcast retention'));

-- name: LogPartitions :many
-- system: as TryLockRetention.
SELECT p.name::text AS name, p.lower::bigint AS lower, p.upper::bigint AS upper, p.bytes::bigint AS bytes, p.detaching::boolean AS detaching
FROM log_partitions(@parent::text) p;

-- Retainable says up to which position nobody needs the log any more, durable consumers in mind, and below which change id all are numbered
-- or will never be.
-- name: Retainable :one
-- system: as TryLockRetention.
SELECT f.floor, h.position AS head,
    least(h.position, (SELECT min(c.at) FROM (SELECT max(position) AS at FROM consumer_position GROUP BY consumer) c))::bigint AS consumed,
    least(h.scanned_to + 1, (SELECT min(g.id) FROM unnest(h.gaps) AS g (id)))::bigint AS numbered_below
FROM feed f, (SELECT position, scanned_to, gaps FROM feed_head ORDER BY step DESC LIMIT 1) h;

-- name: LastPositionBelow :one
-- system: as TryLockRetention.
SELECT coalesce(max(position), 0)::bigint AS position FROM item_position WHERE change_id >= @lower AND change_id < @upper;

-- name: OldestPositions :many
-- system: as TryLockRetention.
SELECT p.position, c.occurred_at FROM item_position p JOIN item_change c ON c.id = p.change_id
WHERE p.position > @floor AND p.position <= @up_to ORDER BY p.position LIMIT @batch;

-- name: RaiseFloor :exec
-- system: as TryLockRetention.
UPDATE feed SET floor = @floor WHERE floor < @floor;

-- KeepTombstones keeps the last revisions of the items whose deletions have ids from lower to below upper.
-- name: KeepTombstones :exec
-- system: of all accounts, each with its own.
INSERT INTO item_tombstone (account_id, item_id, revision)
SELECT c.account_id, c.item_id, max(c.revision) FROM item_change c WHERE c.kind = 'DELETED' AND c.id >= @lower AND c.id < @upper
GROUP BY c.account_id, c.item_id
ON CONFLICT (account_id, item_id) DO UPDATE SET revision = greatest(item_tombstone.revision, EXCLUDED.revision);

-- name: KeepTombstonesOf :exec
-- system: as KeepTombstones.
INSERT INTO item_tombstone (account_id, item_id, revision)
SELECT c.account_id, c.item_id, max(c.revision) FROM item_change c WHERE c.kind = 'DELETED' AND c.id = ANY (@ids::bigint[])
GROUP BY c.account_id, c.item_id
ON CONFLICT (account_id, item_id) DO UPDATE SET revision = greatest(item_tombstone.revision, EXCLUDED.revision);

-- name: DeletePositions :many
-- system: as TryLockRetention.
DELETE FROM item_position WHERE position > @floor AND position <= @up_to RETURNING change_id;

-- name: DeleteChanges :exec
-- system: as TryLockRetention.
DELETE FROM item_change WHERE id = ANY (@ids::bigint[]);

-- name: ConsumerLags :many
-- system: as ConsumerPosition.
SELECT c.consumer, ((SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1) - max(c.position))::bigint AS lag
FROM consumer_position c GROUP BY c.consumer;

-- OldestChange is when the oldest change was made that the log keeps.
-- name: OldestChange :one
-- system: as TryLockRetention.
SELECT c.occurred_at FROM item_position p JOIN item_change c ON c.id = p.change_id
WHERE p.position > (SELECT f.floor FROM feed f) ORDER BY p.position LIMIT 1;

-- ChangeTime is when the change at a position was made, or the first after it that is kept.
-- name: ChangeTime :one
-- system: of the whole log.
SELECT p.position, c.occurred_at FROM item_position p CROSS JOIN LATERAL (SELECT x.occurred_at FROM item_change x WHERE x.id = p.change_id OFFSET 0) c
WHERE p.position >= @position ORDER BY p.position LIMIT 1;

-- DeleteAttempts deletes what was attempted with changes that go one by one.
-- name: DeleteAttempts :exec
-- system: as DoneBefore.
DELETE FROM delivery_attempt a USING hook h WHERE a.hook_id = h.id AND a.position > @floor AND a.position <= @up_to;

-- LastRevision is the last one that an item had, should it have been deleted: one of the same id goes on from there.
-- name: LastRevision :one
SELECT greatest(
    (SELECT max(c.revision) FROM item_change c WHERE c.account_id = @account_id AND c.item_id = @item_id),
    (SELECT t.revision FROM item_tombstone t WHERE t.account_id = @account_id AND t.item_id = @item_id), 0)::bigint AS revision;
