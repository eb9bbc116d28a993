-- +goose Up
-- item_columns_match is item_matches for the columns of an item.
CREATE FUNCTION item_columns_match(
    search tsvector, document_version integer, tags text[], type text, privacy text, workflow_status text,
    created_at timestamptz, updated_at timestamptz, metadata jsonb,
    search_for tsquery, stale_search tsquery, current_version integer, any_tags text[], any_type text[],
    any_privacy text[], any_workflow_status text[], created_from timestamptz, created_until timestamptz,
    updated_from timestamptz, with_metadata jsonb
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (search_for IS NULL OR CASE WHEN stale_search IS NULL THEN search @@ search_for
            ELSE search @@ search_for AND document_version = current_version
              OR search @@ stale_search AND document_version <> current_version END)
       AND (any_tags IS NULL OR tags && any_tags)
       AND (any_type IS NULL OR type = ANY (any_type))
       AND (any_privacy IS NULL OR privacy = ANY (any_privacy))
       AND (any_workflow_status IS NULL OR workflow_status = ANY (any_workflow_status))
       AND (created_from IS NULL OR created_at > created_from)
       AND (created_until IS NULL OR created_at < created_until)
       AND (updated_from IS NULL OR updated_at > updated_from)
       AND (with_metadata IS NULL OR metadata @> with_metadata);

-- item_matches reports whether an item passes a filter. A null criterion passes every item. Every statement that
-- filters items uses this one definition. Keep both functions inlinable (no STRICT, no SET, one expression), so that
-- the planner can use the indexes. With stale_search, items whose document has another version than the current one are
-- compared with that instead.
CREATE OR REPLACE FUNCTION item_matches(
    i item, search_for tsquery, stale_search tsquery, current_version integer, any_tags text[], any_type text[],
    any_privacy text[], any_workflow_status text[], created_from timestamptz, created_until timestamptz,
    updated_from timestamptz, with_metadata jsonb
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN item_columns_match((i).search, (i).document_version, (i).tags, (i).type, (i).privacy, (i).workflow_status,
        (i).created_at, (i).updated_at, (i).metadata, search_for, stale_search, current_version, any_tags, any_type,
        any_privacy, any_workflow_status, created_from, created_until, updated_from, with_metadata);

-- index_query returns the part of a search that the index of words can answer alone: without what is excluded, with the
-- words of phrases anywhere, and with each beginning once (internal/search says why a search has it twice). Null if
-- there is none.
CREATE FUNCTION index_query(search tsquery) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(nullif(querytree(search), 'T'), ' <(-|[0-9]+)> ', ' & ', 'g'),
        '(''[^'']+'':\*) & \1( \| ''[^'']+'')?', '\1', 'g')::tsquery;

-- item_candidates returns the items that pass a filter among the first ones that the indexes of words, tags and
-- metadata find, in no order, and a row that is beyond if they find more. The settings keep the planner from reading
-- the table instead.
-- +goose StatementBegin
CREATE FUNCTION item_candidates(
    account uuid, role uuid, search_for tsquery, stale_search tsquery, current_version integer, any_tags text[],
    any_type text[], any_privacy text[], any_workflow_status text[], created_from timestamptz,
    created_until timestamptz, updated_from timestamptz, with_metadata jsonb, also_tags text[], without tsquery,
    index_search tsquery, most integer
) RETURNS TABLE (id uuid, created_at timestamptz, updated_at timestamptz, name text, beyond boolean) LANGUAGE plpgsql
    STABLE SET enable_seqscan = off SET enable_indexscan = off SET plan_cache_mode = force_custom_plan
    SET work_mem = '32MB' -- for exact bitmaps of a million items
AS $$
BEGIN
    RETURN QUERY SELECT c.id, c.created_at, c.updated_at, c.name, c.place > most FROM (
        SELECT i.id, i.created_at, i.updated_at, i.name, i.search, i.document_version, i.tags, i.type, i.privacy,
            i.workflow_profile_id, i.workflow_status, i.metadata, row_number() OVER () AS place
        FROM item i
        WHERE i.account_id = account AND (index_search IS NULL OR i.search @@ index_search)
          AND (any_tags IS NULL OR i.tags && any_tags) AND (with_metadata IS NULL OR i.metadata @> with_metadata)
        LIMIT most + 1
    ) c
    WHERE c.place > most
       OR (c.workflow_profile_id IS NULL
               OR c.workflow_profile_id <> ALL ((SELECT hidden_profiles(account, role))::uuid[]))
          AND item_columns_match(c.search, c.document_version, c.tags, c.type, c.privacy, c.workflow_status,
              c.created_at, c.updated_at, c.metadata, search_for, stale_search, current_version, any_tags, any_type,
              any_privacy, any_workflow_status, created_from, created_until, updated_from, with_metadata)
          AND (also_tags IS NULL OR c.tags && also_tags) AND (without IS NULL OR NOT c.search @@ without);
END
$$;

-- item_estimate returns how many items pass a filter, as the planner estimates it. It is volatile only because EXPLAIN
-- must be.
CREATE FUNCTION item_estimate(
    account uuid, search_for tsquery, stale_search tsquery, current_version integer, any_tags text[], any_type text[],
    any_privacy text[], any_workflow_status text[], created_from timestamptz, created_until timestamptz,
    updated_from timestamptz, with_metadata jsonb
) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT FROM item i WHERE i.account_id = $1
        AND item_matches(i, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)'
    INTO plan
    USING account, search_for, stale_search, current_version, any_tags, any_type, any_privacy, any_workflow_status,
        created_from, created_until, updated_from, with_metadata;
    RETURN greatest((plan #>> '{0,Plan,Plan Rows}')::float8, 1);
END
$$;

-- item_page returns the ids of a page of the items that pass a filter.
--
-- Frequent items are found soon by walking through the list in its order, rare ones by the indexes. Which they are is
-- only estimated: the planner takes criteria for independent of each other and of the order. In a million items it
-- walked for 16 s for a tag that only the oldest 1 % have, and for two frequent words that no item has together. So the
-- two ways take turns, each with a bound that grows, and the cost stays within a small factor of that of the better
-- one.
CREATE FUNCTION item_page(
    account uuid, role uuid, search_for tsquery, stale_search tsquery, current_version integer, any_tags text[],
    any_type text[], any_privacy text[], any_workflow_status text[], created_from timestamptz,
    created_until timestamptz, updated_from timestamptz, with_metadata jsonb, also_tags text[], without tsquery,
    from_id uuid, sort text, from_time timestamptz, from_name text, max_rows integer
) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    by_name CONSTANT boolean := sort LIKE '%name';
    key CONSTANT text := CASE WHEN by_name THEN 'lower(s.name) COLLATE item_name' ELSE 's.' || ltrim(sort, '-') END;
    start CONSTANT text := CASE WHEN from_id IS NULL THEN 'true' ELSE format('(%s, s.id) %s (%s, $3)', key,
        CASE WHEN sort LIKE '-%' THEN '<' ELSE '>' END, CASE WHEN by_name THEN '$5' ELSE '$4' END) END;
    ordered CONSTANT text := format(CASE WHEN sort LIKE '-%' THEN '%s DESC, s.id DESC' ELSE '%s, s.id' END, key);
    index_search CONSTANT tsquery := CASE WHEN stale_search IS NULL THEN index_query(search_for)
        ELSE index_query(search_for) || index_query(stale_search) END;
    walks integer[] := ARRAY[0, 20000, NULL];         -- items of the list to look at, turn by turn; null: all
    finds integer[] := ARRAY[10000, 100000];          -- items that the indexes find to look at
    items float8;                                     -- in all, as estimated
    matches float8;                                   -- those that pass
    found float8;                                     -- those that the indexes find
    beyond boolean;
    page uuid[];
BEGIN
    IF index_search IS NULL AND any_tags IS NULL AND with_metadata IS NULL THEN
        walks := ARRAY[NULL];
    ELSE
        matches := item_estimate(account, search_for, stale_search, current_version, any_tags, any_type, any_privacy,
            any_workflow_status, created_from, created_until, updated_from, with_metadata);
        items := (SELECT greatest(c.reltuples, matches) FROM pg_class c WHERE c.oid = 'item'::regclass);
        found := item_estimate(account, index_search, NULL, NULL, any_tags, NULL, NULL, NULL, NULL, NULL, NULL,
            with_metadata);
        walks[1] := least(4 * max_rows * items / matches, 1e6); -- four times what is expected, because items cluster
        IF matches > finds[1] THEN
            walks[1] := greatest(walks[1], walks[2]); -- the indexes would find more than they may
        ELSIF walks[1] > least(4 * matches, walks[2]) THEN
            -- Begin with the indexes, which find less. But how many items have a word that begins with one to three
            -- letters is hard to estimate, and they are often very many.
            walks[1] := CASE WHEN search_for::text ~ '''[=#]?.{1,3}'':\*' THEN 1000 ELSE 0 END;
        END IF;
        IF matches <= finds[2] / 5 THEN
            finds[1] := greatest(finds[1], 2 * matches);
        END IF;
        walks[2] := greatest(4 * walks[1], 5 * finds[1]); -- neighbours in the list share pages
    END IF;
    FOR turn IN 1..3 LOOP
        IF walks[turn] IS DISTINCT FROM 0 THEN
            EXECUTE format('SELECT ARRAY(SELECT w.id FROM (
                    SELECT s.id, s.search, s.document_version, s.tags, s.type, s.privacy, s.workflow_status,
                        s.created_at, s.updated_at, s.metadata
                    FROM item s
                    WHERE s.account_id = $1 AND (s.workflow_profile_id IS NULL
                        OR s.workflow_profile_id <> ALL ((SELECT hidden_profiles($1, $2))::uuid[])) AND %s
                    ORDER BY %s LIMIT %L::integer
                ) w WHERE item_columns_match(w.search, w.document_version, w.tags, w.type, w.privacy, w.workflow_status,
                    w.created_at, w.updated_at, w.metadata, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
                  AND ($18 IS NULL OR w.tags && $18) AND ($19 IS NULL OR NOT w.search @@ $19) LIMIT $6)',
                start, ordered, walks[turn])
            INTO page
            USING account, role, from_id, from_time, from_name, max_rows, search_for, stale_search, current_version,
                any_tags, any_type, any_privacy, any_workflow_status, created_from, created_until, updated_from,
                with_metadata, also_tags, without;
            EXIT WHEN cardinality(page) = max_rows OR walks[turn] IS NULL;
        END IF;
        CONTINUE WHEN found > 2 * finds[2];
        EXECUTE format('WITH s AS MATERIALIZED (SELECT * FROM item_candidates(
                $1, $2, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21))
            SELECT EXISTS (SELECT FROM s WHERE s.beyond),
                ARRAY(SELECT s.id FROM s WHERE NOT s.beyond AND %s ORDER BY %s LIMIT $6)', start, ordered)
        INTO beyond, page
        USING account, role, from_id, from_time, from_name, max_rows, search_for, stale_search, current_version,
            any_tags, any_type, any_privacy, any_workflow_status, created_from, created_until, updated_from,
            with_metadata, also_tags, without, index_search, finds[turn];
        EXIT WHEN NOT beyond;
    END LOOP;
    RETURN page;
END
$$;
-- +goose StatementEnd
