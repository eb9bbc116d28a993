-- +goose Up
-- Words are made by internal/search, in Go, for items and for searches alike. Existing items keep the words that
-- Postgres made until they are rendered again: item_matches compares those with what Postgres makes of the search.
ALTER TABLE item ALTER COLUMN search DROP EXPRESSION, ALTER COLUMN search SET DEFAULT '';

DROP FUNCTION item_matches(item, text, text[], text[], text[], text[], timestamptz, timestamptz, timestamptz, jsonb);
DROP FUNCTION item_search(text, text, text[], jsonb);

-- item_matches reports whether an item passes a filter. A null criterion passes every item. Every statement that
-- filters items uses this one definition. Keep it inlinable (no STRICT, no SET, one expression), so that the planner
-- can use the indexes. With stale_search, items whose document has another version than the current one are compared
-- with that instead.
CREATE FUNCTION item_matches(
    i item, search_for tsquery, stale_search tsquery, current_version integer, any_tags text[], any_type text[],
    any_privacy text[], any_workflow_status text[], created_from timestamptz, created_until timestamptz,
    updated_from timestamptz, with_metadata jsonb
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (search_for IS NULL OR CASE WHEN stale_search IS NULL THEN (i).search @@ search_for
            ELSE (i).search @@ search_for AND (i).document_version = current_version
              OR (i).search @@ stale_search AND (i).document_version <> current_version END)
       AND (any_tags IS NULL OR (i).tags && any_tags)
       AND (any_type IS NULL OR (i).type = ANY (any_type))
       AND (any_privacy IS NULL OR (i).privacy = ANY (any_privacy))
       AND (any_workflow_status IS NULL OR (i).workflow_status = ANY (any_workflow_status))
       AND (created_from IS NULL OR (i).created_at > created_from)
       AND (created_until IS NULL OR (i).created_at < created_until)
       AND (updated_from IS NULL OR (i).updated_at > updated_from)
       AND (with_metadata IS NULL OR (i).metadata @> with_metadata);

-- Names sort as people expect, in any language: Äther beside Ather. A Postgres without ICU sorts by code point.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') THEN
        CREATE COLLATION item_name (provider = icu, locale = 'und');
    ELSE
        CREATE COLLATION item_name FROM "C";
    END IF;
END
$$;
-- +goose StatementEnd
DROP INDEX item_by_name;
CREATE INDEX item_by_name ON item (account_id, lower(name) COLLATE item_name, id);

-- The pass that renders stale documents reads its batches from this index, each after the one before.
DROP INDEX item_document_version;
CREATE INDEX item_stale ON item (document_version, id);
