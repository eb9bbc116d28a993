-- InsertChange must run after the same transaction has locked the item's row: the transaction then has its xid before
-- it draws the change's id, and the ids of an item are in revision order. internal/change/doc.go depends on both.
-- name: InsertChange :exec
INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, actor, trigger, targets, task,
    document, occurred_at)
VALUES (@account_id, @item_id, @revision, @kind, @changed_fields, @previous, @actor, @trigger, @targets,
    sqlc.narg('task'), @document, @occurred_at);

-- name: LockSequencer :exec
-- system: one sequencer at a time, over all accounts and nodes.
SELECT pg_advisory_xact_lock(hashtext('itemcast sequencer'));

-- name: Head :one
-- system: the log has one head for all accounts.
SELECT step, position, scanned_to, gaps, horizons FROM feed_head ORDER BY step DESC LIMIT 1;

-- Unsequenced reads new ids, filled gaps and the snapshot's bounds in one statement, and so in one snapshot.
-- name: Unsequenced :one
-- system: the sequencer serves all accounts.
SELECT ARRAY(SELECT f.id FROM item_change f WHERE f.id > @scanned_to ORDER BY f.id LIMIT @batch)::bigint[] AS fresh,
    ARRAY(SELECT g.id FROM item_change g WHERE g.id = ANY (@gaps::bigint[]))::bigint[] AS filled,
    (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint AS xmin,
    (pg_snapshot_xmax(pg_current_snapshot())::text)::bigint AS xmax;

-- InsertStep assigns the positions after `after` to the ids, in order, appends the head, and notifies the feeds: one
-- round trip, and no plan that depends on statistics.
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

-- DeleteHeads names both ends of the range: while any snapshot is open, rows that were deleted earlier still lie below
-- it, and an open range would walk them all.
-- name: DeleteHeads :exec
-- system: the sequencer serves all accounts.
DELETE FROM feed_head WHERE step >= @from_step AND step < @to_step;

-- name: FeedIdentity :one
-- system: of the whole log.
SELECT epoch, floor, secret FROM feed LIMIT 1;

-- ChangesAfter is on the path of every change to every reader. OFFSET 0 forces a look-up of each change by its key:
-- while statistics are new, the planner may choose a much slower plan for a plain join. A change whose partition was
-- dropped is missing from the result.
-- name: ChangesAfter :many
-- system: a feed reads the log of all accounts, once; its readers filter by account.
SELECT p.position, c.id, c.account_id, c.item_id, c.revision, c.kind, c.changed_fields, c.previous, c.actor, c.trigger,
    c.targets, c.task, c.document, c.occurred_at
FROM item_position p CROSS JOIN LATERAL (SELECT * FROM item_change x WHERE x.id = p.change_id OFFSET 0) c
WHERE p.position > @after ORDER BY p.position LIMIT @batch;

-- FormerValues reads no documents but those of deletions, so that it is quick for an item of many changes. It returns
-- nothing for an item that is now hidden from the role.
-- name: FormerValues :many
SELECT (CASE c.kind WHEN 'DELETED' THEN convert_from(c.document, 'UTF8')::json -> @field::text
    ELSE c.previous -> @field::text END)::json AS value
FROM item_change c
WHERE c.account_id = @account_id AND c.item_id = @item_id
  AND (c.kind = 'DELETED' OR @field::text = ANY (c.changed_fields))
  AND NOT EXISTS (SELECT FROM item i WHERE i.id = @item_id
    AND i.workflow_profile_id = ANY (
        (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
ORDER BY c.id DESC LIMIT @max_rows;

-- ItemHistory returns nothing for an item that is now hidden from the role. The caller removes the changes that were
-- hidden when they occurred.
-- name: ItemHistory :many
SELECT p.position, c.id, c.account_id, c.item_id, c.revision, c.kind, c.changed_fields, c.previous, c.actor, c.trigger,
    c.targets, c.task, c.document, c.occurred_at
FROM item_change c JOIN item_position p ON p.change_id = c.id
WHERE c.account_id = @account_id AND c.item_id = @item_id AND c.id < @before_id
  AND NOT EXISTS (SELECT FROM item i WHERE i.id = @item_id
    AND i.workflow_profile_id = ANY (
        (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
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

-- DeleteConsumerPosition deletes one row by its key, for the same reason as DeleteHeads.
-- name: DeleteConsumerPosition :exec
-- system: as ConsumerPosition.
DELETE FROM consumer_position WHERE consumer = @consumer AND position = @position;

-- LockConsumer makes the nodes that run one durable consumer take turns.
-- name: LockConsumer :exec
-- system: as ConsumerPosition.
SELECT pg_advisory_xact_lock(hashtext('itemcast consumer ' || @consumer::text));

-- TryLockRetention takes the lock of the one node that prunes. It lasts as long as the connection.
-- name: TryLockRetention :one
-- system: the log of all accounts.
SELECT pg_try_advisory_lock(hashtext('itemcast retention')) AS locked;

-- name: UnlockRetention :exec
-- system: as TryLockRetention.
SELECT pg_advisory_unlock(hashtext('itemcast retention'));

-- name: LogPartitions :many
-- system: as TryLockRetention.
SELECT p.name::text AS name, p.lower::bigint AS lower, p.upper::bigint AS upper, p.bytes::bigint AS bytes,
    p.detaching::boolean AS detaching
FROM log_partitions(@parent::text) p;

-- RetentionBounds reads the position up to which all durable consumers have handled the log, and the change id below
-- which every change has a position or was rolled back.
-- name: RetentionBounds :one
-- system: as TryLockRetention.
SELECT f.floor, h.position AS head,
    least(h.position,
        (SELECT min(c.at) FROM (SELECT max(position) AS at FROM consumer_position GROUP BY consumer) c)
    )::bigint AS consumed,
    least(h.scanned_to + 1, (SELECT min(g.id) FROM unnest(h.gaps) AS g (id)))::bigint AS sequenced_below
FROM feed f, (SELECT position, scanned_to, gaps FROM feed_head ORDER BY step DESC LIMIT 1) h;

-- name: LastPositionBelow :one
-- system: as TryLockRetention.
SELECT coalesce(max(position), 0)::bigint AS position FROM item_position
WHERE change_id >= @lower AND change_id < @upper;

-- name: OldestPositions :many
-- system: as TryLockRetention.
SELECT p.position, c.occurred_at FROM item_position p JOIN item_change c ON c.id = p.change_id
WHERE p.position > @floor AND p.position <= @up_to ORDER BY p.position LIMIT @batch;

-- name: RaiseFloor :exec
-- system: as TryLockRetention.
UPDATE feed SET floor = @floor WHERE floor < @floor;

-- InsertTombstonesBetween stores the last revisions of the items whose deletions have ids from lower to below upper.
-- name: InsertTombstonesBetween :exec
-- system: of all accounts, each with its own.
INSERT INTO item_tombstone (account_id, item_id, revision)
SELECT c.account_id, c.item_id, max(c.revision) FROM item_change c
WHERE c.kind = 'DELETED' AND c.id >= @lower AND c.id < @upper
GROUP BY c.account_id, c.item_id
ON CONFLICT (account_id, item_id) DO UPDATE SET revision = greatest(item_tombstone.revision, EXCLUDED.revision);

-- InsertTombstonesOf stores the last revisions of the items whose deletions have these ids.
-- name: InsertTombstonesOf :exec
-- system: as InsertTombstonesBetween.
INSERT INTO item_tombstone (account_id, item_id, revision)
SELECT c.account_id, c.item_id, max(c.revision) FROM item_change c
WHERE c.kind = 'DELETED' AND c.id = ANY (@ids::bigint[])
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

-- OldestChange returns the time of the oldest change in the log.
-- name: OldestChange :one
-- system: as TryLockRetention.
SELECT c.occurred_at FROM item_position p JOIN item_change c ON c.id = p.change_id
WHERE p.position > (SELECT f.floor FROM feed f) ORDER BY p.position LIMIT 1;

-- ChangeTime returns the time of the change at a position, or of the first after it that is still in the log.
-- name: ChangeTime :one
-- system: of the whole log.
SELECT p.position, c.occurred_at
FROM item_position p CROSS JOIN LATERAL (SELECT x.occurred_at FROM item_change x WHERE x.id = p.change_id OFFSET 0) c
WHERE p.position >= @position ORDER BY p.position LIMIT 1;

-- DeleteAttempts deletes the attempts of hooks at changes that are deleted row by row.
-- name: DeleteAttempts :exec
-- system: as TryLockRetention.
DELETE FROM delivery_attempt a USING hook h WHERE a.hook_id = h.id AND a.position > @floor AND a.position <= @up_to;

-- LastRevision returns the last revision of a deleted item, from which a new item with the same id continues, and
-- whether the item was another account's.
-- name: LastRevision :one
SELECT greatest(
    (SELECT max(c.revision) FROM item_change c WHERE c.account_id = @account_id AND c.item_id = @item_id),
    (SELECT t.revision FROM item_tombstone t WHERE t.account_id = @account_id AND t.item_id = @item_id),
    0)::bigint AS revision,
    (EXISTS (SELECT FROM item_change c WHERE c.item_id = @item_id AND c.account_id <> @account_id)
    OR EXISTS (SELECT FROM item_tombstone t WHERE t.item_id = @item_id AND t.account_id <> @account_id))::boolean AS foreign_id;
