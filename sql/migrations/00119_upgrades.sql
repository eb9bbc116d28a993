-- +goose Up
-- A writer that fills the list of pending entries of an index moves all of them into the index. In a million items, with
-- the usual 4 MB, that took seconds, during which it held its rows. Searches read the list, too.
ALTER INDEX item_search_words SET (gin_pending_list_limit = 512); -- kB
ALTER INDEX item_tags SET (gin_pending_list_limit = 512);
ALTER INDEX item_metadata SET (gin_pending_list_limit = 512);

-- Items of another version may have the current words, such as after a change of the public URL. So they are compared
-- with the current search, too, unless it excludes words: words that Postgres made have accents.
CREATE OR REPLACE FUNCTION item_columns_match(
    search tsvector, document_version integer, tags text[], type text, privacy text, workflow_status text,
    created_at timestamptz, updated_at timestamptz, metadata jsonb,
    search_for tsquery, stale_search tsquery, current_version integer, any_tags text[], any_type text[],
    any_privacy text[], any_workflow_status text[], created_from timestamptz, created_until timestamptz,
    updated_from timestamptz, with_metadata jsonb
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (search_for IS NULL OR CASE WHEN stale_search IS NULL THEN search @@ search_for
            ELSE search @@ search_for AND (document_version = current_version OR strpos(search_for::text, '!') = 0)
              OR search @@ stale_search AND document_version <> current_version END)
       AND (any_tags IS NULL OR tags && any_tags)
       AND (any_type IS NULL OR type = ANY (any_type))
       AND (any_privacy IS NULL OR privacy = ANY (any_privacy))
       AND (any_workflow_status IS NULL OR workflow_status = ANY (any_workflow_status))
       AND (created_from IS NULL OR created_at > created_from)
       AND (created_until IS NULL OR created_at < created_until)
       AND (updated_from IS NULL OR updated_at > updated_from)
       AND (with_metadata IS NULL OR metadata @> with_metadata);
