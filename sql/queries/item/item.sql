-- name: InsertItem :exec
INSERT INTO item (id, account_id, name, description, type, privacy, language, producer, duration, tags, metadata,
    client_data, snapshot_id, embed_code, player_url, workflow_profile_id, workflow_status, workflow_action, created_by,
    created_at, updated_at, published_at, revision, document, document_version, search)
VALUES (@id, @account_id, @name, @description, @type, @privacy, @language, @producer, @duration, @tags, @metadata,
    @client_data, @snapshot_id, @embed_code, @player_url, @workflow_profile_id, @workflow_status, @workflow_action,
    @created_by, @created_at, @updated_at, @published_at, @revision, @document, @document_version,
    (@search::text)::tsvector);

-- name: Now :one
SELECT clock_timestamp()::timestamptz AS now;

-- LockItem locks the item's row until the transaction ends. The document has all of the item's state.
-- name: LockItem :one
SELECT i.document, i.document_version, i.rendering, clock_timestamp()::timestamptz AS now
FROM item i WHERE i.account_id = @account_id AND i.id = @id
  AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
    (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
FOR UPDATE;

-- UpdateItem leaves the words of the search as they are if search is null.
-- name: UpdateItem :exec
UPDATE item SET name = @name, description = @description, type = @type, privacy = @privacy, language = @language,
    producer = @producer, duration = @duration, tags = @tags, metadata = @metadata, client_data = @client_data,
    snapshot_id = @snapshot_id, embed_code = @embed_code, player_url = @player_url,
    workflow_profile_id = @workflow_profile_id,
    workflow_status = @workflow_status, workflow_action = @workflow_action, updated_at = @updated_at,
    published_at = @published_at, revision = @revision, document = @document, document_version = @document_version,
    rendering = 0, search = coalesce((sqlc.narg('search')::text)::tsvector, search)
WHERE account_id = @account_id AND id = @id;

-- SetCreatedAt is for imports that restore an item. No other write changes the time.
-- name: SetCreatedAt :exec
UPDATE item SET created_at = @created_at WHERE account_id = @account_id AND id = @id;

-- name: DeleteItem :exec
DELETE FROM item WHERE account_id = @account_id AND id = @id;

-- name: ItemTaken :one
-- system: an import may name an id of another account; this tells only whether the id is taken.
SELECT EXISTS (SELECT FROM item WHERE id = @id);

-- name: GetDocument :one
SELECT i.document, i.revision, i.document_version, i.rendering FROM item i WHERE i.account_id = @account_id AND i.id = @id
  AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
    (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]));

-- LockStaleItems locks those stale items that nobody else has locked, in the order of their ids, as all that lock
-- several items do.
-- name: LockStaleItems :many
-- system: every account's items are rendered again.
SELECT id, document, rendering FROM item WHERE id = ANY (@ids::uuid[]) AND document_version <> @document_version
ORDER BY id FOR UPDATE SKIP LOCKED;

-- GetItems is GetItem for many items.
-- name: GetItems :many
-- system: every account's items are rendered again.
SELECT id, name, description, type, privacy, language, producer, duration, tags, metadata, client_data, snapshot_id,
    embed_code, player_url, workflow_profile_id, workflow_status, workflow_action, created_by, created_at, updated_at,
    published_at, revision
FROM item WHERE id = ANY (@ids::uuid[]);

-- name: AssetsOfItems :many
-- system: every account's items are rendered again.
SELECT * FROM asset WHERE item_id = ANY (@ids::uuid[]) ORDER BY item_id, position;

-- name: SnapshotsOfItems :many
-- system: every account's items are rendered again.
SELECT * FROM snapshot WHERE item_id = ANY (@ids::uuid[]) ORDER BY item_id, position;

-- RenewDocuments stores other renderings of the same revisions: neither new revisions nor changes in the log.
-- name: RenewDocuments :exec
-- system: every account's items are rendered again.
UPDATE item SET document = u.document, document_version = @document_version, rendering = u.rendering,
    search = u.search::tsvector
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@documents::bytea[]) AS document,
    unnest(@renderings::integer[]) AS rendering, unnest(@searches::text[]) AS search) u
WHERE item.id = u.id;

-- StaleDocuments returns the ids of documents of other versions, in a fixed order, after one of them. Those below and
-- above the current version are two ranges of the index.
-- name: StaleDocuments :many
-- system: every account's items are rendered again in the background.
(SELECT b.document_version, b.id, b.account_id FROM item b
    WHERE b.document_version < @document_version
      AND (b.document_version, b.id) > (@after_version::integer, @after_id::uuid)
    ORDER BY b.document_version, b.id LIMIT @batch)
UNION ALL
(SELECT a.document_version, a.id, a.account_id FROM item a
    WHERE a.document_version > @document_version
      AND (a.document_version, a.id) > (@after_version::integer, @after_id::uuid)
    ORDER BY a.document_version, a.id LIMIT @batch)
LIMIT @batch;

-- DocumentsByID answers many reads by id with one statement.
-- name: DocumentsByID :many
SELECT i.id, i.document, i.document_version FROM item i WHERE i.account_id = @account_id AND i.id = ANY (@ids::uuid[])
  AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
    (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]));

-- GetItem reads the columns that the document is rendered from.
-- name: GetItem :one
SELECT id, name, description, type, privacy, language, producer, duration, tags, metadata, client_data, snapshot_id,
    embed_code, player_url, workflow_profile_id, workflow_status, workflow_action, created_by, created_at, updated_at,
    published_at, revision
FROM item WHERE account_id = @account_id AND id = @id;

-- ListDocuments selects the page first and then joins the documents. It is planned anew for each execution
-- (internal/item/list_rows.go), so that the CASEs fold to one sort and null criteria vanish. Every row has the
-- log's head in the list's snapshot. An empty list has one row, with the nil id.
-- name: ListDocuments :many
SELECT head.position, coalesce(i.id, '00000000-0000-0000-0000-000000000000')::uuid AS id,
    coalesce(i.document, '')::bytea AS document, coalesce(i.document_version, 0)::integer AS document_version,
    coalesce(i.created_at, 'epoch')::timestamptz AS created_at,
    coalesce(i.updated_at, 'epoch')::timestamptz AS updated_at, coalesce(lower(i.name), '')::text AS name_key,
    coalesce(page.place, 0)::bigint AS place
FROM (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1) head LEFT JOIN (unnest(ARRAY(
    SELECT s.id FROM item s
    WHERE s.account_id = @account_id
      AND (s.workflow_profile_id IS NULL OR s.workflow_profile_id <> ALL (
          (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
      AND item_matches(s, (sqlc.narg('search')::text)::tsquery,
          CASE WHEN sqlc.narg('also_stale_search')::text IS NULL
              THEN websearch_to_tsquery('simple', sqlc.narg('stale_search')::text)
              ELSE websearch_to_tsquery('simple', sqlc.narg('stale_search')::text)
                  && websearch_to_tsquery('simple', sqlc.narg('also_stale_search')::text) END,
          @document_version::integer, sqlc.narg('tags')::text[], sqlc.narg('types')::text[],
          sqlc.narg('privacies')::text[], sqlc.narg('workflow_statuses')::text[],
          sqlc.narg('created_after')::timestamptz, sqlc.narg('created_before')::timestamptz,
          sqlc.narg('updated_after')::timestamptz, sqlc.narg('metadata')::jsonb)
      AND (sqlc.narg('also_tags')::text[] IS NULL OR s.tags && sqlc.narg('also_tags')::text[])
      AND (sqlc.narg('without')::text IS NULL OR NOT s.search @@ (sqlc.narg('without')::text)::tsquery)
      AND (sqlc.narg('from_id')::uuid IS NULL OR CASE @sort::text
          WHEN 'created_at' THEN (s.created_at, s.id) >
              (sqlc.narg('from_time')::timestamptz, sqlc.narg('from_id')::uuid)
          WHEN '-created_at' THEN (s.created_at, s.id) <
              (sqlc.narg('from_time')::timestamptz, sqlc.narg('from_id')::uuid)
          WHEN 'updated_at' THEN (s.updated_at, s.id) >
              (sqlc.narg('from_time')::timestamptz, sqlc.narg('from_id')::uuid)
          WHEN '-updated_at' THEN (s.updated_at, s.id) <
              (sqlc.narg('from_time')::timestamptz, sqlc.narg('from_id')::uuid)
          WHEN 'name' THEN (lower(s.name) COLLATE item_name, s.id) >
              (sqlc.narg('from_name')::text, sqlc.narg('from_id')::uuid)
          WHEN '-name' THEN (lower(s.name) COLLATE item_name, s.id) <
              (sqlc.narg('from_name')::text, sqlc.narg('from_id')::uuid)
          END)
    ORDER BY
        CASE WHEN @sort::text = 'created_at' THEN s.created_at WHEN @sort::text = 'updated_at' THEN s.updated_at END,
        CASE WHEN @sort::text = '-created_at' THEN s.created_at
            WHEN @sort::text = '-updated_at' THEN s.updated_at END DESC,
        CASE WHEN @sort::text = 'name' THEN lower(s.name) COLLATE item_name END,
        CASE WHEN @sort::text = '-name' THEN lower(s.name) COLLATE item_name END DESC,
        CASE WHEN left(@sort::text, 1) <> '-' THEN s.id END,
        CASE WHEN left(@sort::text, 1) = '-' THEN s.id END DESC
    LIMIT @max_rows
)) WITH ORDINALITY page(id, place) JOIN item i ON i.id = page.id) ON true;

-- FindDocuments is ListDocuments with words, tags or metadata. item_page chooses and bounds the work. Without its
-- SELECT, the planner would also run it to estimate how many ids it returns.
-- name: FindDocuments :many
SELECT head.position, coalesce(i.id, '00000000-0000-0000-0000-000000000000')::uuid AS id,
    coalesce(i.document, '')::bytea AS document, coalesce(i.document_version, 0)::integer AS document_version,
    coalesce(i.created_at, 'epoch')::timestamptz AS created_at,
    coalesce(i.updated_at, 'epoch')::timestamptz AS updated_at, coalesce(lower(i.name), '')::text AS name_key,
    coalesce(page.place, 0)::bigint AS place
FROM (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1) head LEFT JOIN (unnest((SELECT item_page(
    @account_id, sqlc.narg('role_id')::uuid, (sqlc.narg('search')::text)::tsquery,
    CASE WHEN sqlc.narg('also_stale_search')::text IS NULL
        THEN websearch_to_tsquery('simple', sqlc.narg('stale_search')::text)
        ELSE websearch_to_tsquery('simple', sqlc.narg('stale_search')::text)
            && websearch_to_tsquery('simple', sqlc.narg('also_stale_search')::text) END,
    @document_version::integer, sqlc.narg('tags')::text[], sqlc.narg('types')::text[],
    sqlc.narg('privacies')::text[], sqlc.narg('workflow_statuses')::text[],
    sqlc.narg('created_after')::timestamptz, sqlc.narg('created_before')::timestamptz,
    sqlc.narg('updated_after')::timestamptz, sqlc.narg('metadata')::jsonb, sqlc.narg('also_tags')::text[],
    (sqlc.narg('without')::text)::tsquery, sqlc.narg('from_id')::uuid, @sort::text,
    sqlc.narg('from_time')::timestamptz, sqlc.narg('from_name')::text, @max_rows::integer
))::uuid[]) WITH ORDINALITY page(id, place) JOIN item i ON i.account_id = @account_id AND i.id = page.id
    AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
        (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))) ON true;

-- NameKey is what ListDocuments sorts an item by, by name, and the item's document.
-- name: NameKey :one
SELECT lower(i.name)::text AS name_key, i.document FROM item i WHERE i.account_id = @account_id AND i.id = @id
  AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
    (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]));

-- NameKeys is NameKey for names that items had.
-- name: NameKeys :many
-- system: computes with given values; reads no table.
SELECT lower(u.name)::text AS name_key FROM (SELECT unnest(@names::text[]) AS name) u;

-- NewestDocuments and OldestDocuments are ListDocuments by creation and without a filter, which most requests ask
-- for. They have one plan: planning ListDocuments costs more than running these. Their inner limit, which no page
-- reaches, makes Postgres keep that plan. It would estimate a parameter as a tenth of the table, and plan anew each
-- time in the hope of a better plan.
-- name: NewestDocuments :many
SELECT head.position, coalesce(i.id, '00000000-0000-0000-0000-000000000000')::uuid AS id,
    coalesce(i.document, '')::bytea AS document, coalesce(i.document_version, 0)::integer AS document_version,
    coalesce(i.created_at, 'epoch')::timestamptz AS created_at
FROM (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1) head LEFT JOIN (SELECT page.* FROM (
    SELECT s.id, s.document, s.document_version, s.created_at FROM item s
    WHERE s.account_id = @account_id AND (s.created_at, s.id) < (@from_time::timestamptz, @from_id::uuid)
      AND (s.workflow_profile_id IS NULL OR s.workflow_profile_id <> ALL (
          (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
    ORDER BY s.created_at DESC, s.id DESC LIMIT 501
) page LIMIT @max_rows) i ON true;

-- name: OldestDocuments :many
SELECT head.position, coalesce(i.id, '00000000-0000-0000-0000-000000000000')::uuid AS id,
    coalesce(i.document, '')::bytea AS document, coalesce(i.document_version, 0)::integer AS document_version,
    coalesce(i.created_at, 'epoch')::timestamptz AS created_at
FROM (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1) head LEFT JOIN (SELECT page.* FROM (
    SELECT s.id, s.document, s.document_version, s.created_at FROM item s
    WHERE s.account_id = @account_id AND (s.created_at, s.id) > (@from_time::timestamptz, @from_id::uuid)
      AND (s.workflow_profile_id IS NULL OR s.workflow_profile_id <> ALL (
          (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
    ORDER BY s.created_at, s.id LIMIT 501
) page LIMIT @max_rows) i ON true;

-- name: CountItems :one
SELECT count(*) FROM item s
WHERE s.account_id = @account_id
  AND (s.workflow_profile_id IS NULL OR s.workflow_profile_id <> ALL (
          (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
  AND item_matches(s, (sqlc.narg('search')::text)::tsquery,
      CASE WHEN sqlc.narg('also_stale_search')::text IS NULL
          THEN websearch_to_tsquery('simple', sqlc.narg('stale_search')::text)
          ELSE websearch_to_tsquery('simple', sqlc.narg('stale_search')::text)
              && websearch_to_tsquery('simple', sqlc.narg('also_stale_search')::text) END,
      @document_version::integer, sqlc.narg('tags')::text[], sqlc.narg('types')::text[],
      sqlc.narg('privacies')::text[], sqlc.narg('workflow_statuses')::text[],
      sqlc.narg('created_after')::timestamptz, sqlc.narg('created_before')::timestamptz,
      sqlc.narg('updated_after')::timestamptz, sqlc.narg('metadata')::jsonb)
  AND (sqlc.narg('also_tags')::text[] IS NULL OR s.tags && sqlc.narg('also_tags')::text[]);

-- name: ListTags :many
SELECT tag::text AS name, count(*) AS items
FROM item i, unnest(i.tags) AS tag
WHERE i.account_id = @account_id
  AND (i.workflow_profile_id IS NULL OR i.workflow_profile_id <> ALL (
    (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
GROUP BY tag ORDER BY tag COLLATE item_name;

-- ListTagsOfMatching is ListTags for items that match a filter. Like ListDocuments, it is planned anew each time.
-- name: ListTagsOfMatching :many
SELECT tag::text AS name, count(*) AS items
FROM item s, unnest(s.tags) AS tag
WHERE s.account_id = @account_id
  AND (s.workflow_profile_id IS NULL OR s.workflow_profile_id <> ALL (
    (SELECT hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))::uuid[]))
  AND item_matches(s, (sqlc.narg('search')::text)::tsquery,
      websearch_to_tsquery('simple', sqlc.narg('stale_search')::text), @document_version::integer,
      sqlc.narg('tags')::text[], sqlc.narg('types')::text[], sqlc.narg('privacies')::text[],
      sqlc.narg('workflow_statuses')::text[], sqlc.narg('created_after')::timestamptz,
      sqlc.narg('created_before')::timestamptz, sqlc.narg('updated_after')::timestamptz,
      sqlc.narg('metadata')::jsonb)
GROUP BY tag ORDER BY tag COLLATE item_name;

-- name: InsertAsset :copyfrom
INSERT INTO asset (id, account_id, item_id, position, kind, url, content_type, size, width, height, bitrate, language)
VALUES (@id, @account_id, @item_id, @position, @kind, @url, @content_type, @size, @width, @height, @bitrate, @language);

-- name: DeleteAssets :exec
DELETE FROM asset WHERE account_id = @account_id AND item_id = @item_id;

-- name: AssetsOf :many
SELECT * FROM asset WHERE account_id = @account_id AND item_id = @item_id ORDER BY position;

-- name: InsertSnapshot :copyfrom
INSERT INTO snapshot (id, account_id, item_id, position, url) VALUES (@id, @account_id, @item_id, @position, @url);

-- name: DeleteSnapshots :exec
DELETE FROM snapshot WHERE account_id = @account_id AND item_id = @item_id;

-- name: SnapshotsOf :many
SELECT * FROM snapshot WHERE account_id = @account_id AND item_id = @item_id ORDER BY position;

-- MediaFields returns what processing has set in fields that clients set, too.
-- name: MediaFields :one
SELECT media_fields FROM item WHERE account_id = @account_id AND id = @id;

-- name: SetMediaFields :exec
UPDATE item SET media_fields = @media_fields WHERE account_id = @account_id AND id = @id;

-- HoldWorkflowProfile locks a profile against deletion while an item gets it, and returns the version with which the
-- item's run begins. The role must see the profile's items.
-- name: HoldWorkflowProfile :one
SELECT version FROM workflow_profile p
WHERE p.account_id = @account_id AND p.id = @id AND p.id <> ALL (
    hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))
FOR KEY SHARE;

-- HoldDefaultProfile is HoldWorkflowProfile for the first of several profiles that there is and that the role sees.
-- name: HoldDefaultProfile :one
SELECT p.id, p.version FROM workflow_profile p
WHERE p.account_id = @account_id AND p.id = ANY (@ids::uuid[]) AND p.id <> ALL (
    hidden_profiles(@account_id, sqlc.narg('role_id')::uuid))
ORDER BY array_position(@ids::uuid[], p.id) LIMIT 1
FOR KEY SHARE;
