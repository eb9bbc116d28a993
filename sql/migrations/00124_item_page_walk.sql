-- +goose Up
-- item_walk returns the ids of a page of the items that pass a filter, among the next ones of the list, and a null
-- after them if the list is longer. It has a statement for each order, with a start and without, so that Postgres plans
-- each once. The settings keep the planner from sorting the table instead.
-- +goose StatementBegin
DO $migration$
DECLARE
    sort text;
    start text;
    key text;
    within text;
    statements text := '';
BEGIN
    FOREACH sort IN ARRAY ARRAY['-created_at', 'created_at', '-updated_at', 'updated_at', '-name', 'name'] LOOP
        key := CASE WHEN sort LIKE '%name' THEN 'lower(s.name) COLLATE item_name' ELSE 's.' || ltrim(sort, '-') END;
        within := CASE
            WHEN sort LIKE '%created_at' THEN ' AND s.created_at > coalesce(created_from, ''-infinity'')'
                ' AND s.created_at < coalesce(created_until, ''infinity'')'
            WHEN sort LIKE '%updated_at' THEN ' AND s.updated_at > coalesce(updated_from, ''-infinity'')'
            ELSE '' END;
        FOREACH start IN ARRAY ARRAY['IS NULL', 'IS NOT NULL'] LOOP
            statements := statements || format($statement$
                WHEN sort = %L AND from_id %s THEN
                    RETURN ARRAY(SELECT CASE WHEN w.place > bound THEN NULL ELSE w.id END FROM (
                        SELECT l.*, row_number() OVER () AS place FROM (
                            SELECT s.id, s.search, s.document_version, s.tags, s.type, s.privacy, s.workflow_status,
                                s.created_at, s.updated_at, s.metadata
                            FROM item s
                            WHERE s.account_id = account AND (s.workflow_profile_id IS NULL
                                OR s.workflow_profile_id <> ALL ((SELECT hidden_profiles(account, role))::uuid[]))%s%s
                            ORDER BY %s LIMIT bound + 1
                        ) l
                    ) w
                    WHERE w.place > bound OR item_columns_match(w.search, w.document_version, w.tags, w.type,
                            w.privacy, w.workflow_status, w.created_at, w.updated_at, w.metadata, search_for,
                            stale_search, current_version, any_tags, any_type, any_privacy, any_workflow_status,
                            created_from, created_until, updated_from, with_metadata)
                        AND (also_tags IS NULL OR w.tags && also_tags)
                        AND (without IS NULL OR NOT w.search @@ without)
                    LIMIT max_rows);$statement$,
                sort, start, within,
                CASE WHEN start = 'IS NOT NULL' THEN format(' AND (%s, s.id) %s (%s, from_id)', key,
                    CASE WHEN sort LIKE '-%' THEN '<' ELSE '>' END,
                    CASE WHEN sort LIKE '%name' THEN 'from_name' ELSE 'from_time' END) ELSE '' END,
                format(CASE WHEN sort LIKE '-%' THEN '%s DESC, s.id DESC' ELSE '%s, s.id' END, key));
        END LOOP;
    END LOOP;
    EXECUTE format($create$
        CREATE FUNCTION item_walk(
            account uuid, role uuid, search_for tsquery, stale_search tsquery, current_version integer,
            any_tags text[], any_type text[], any_privacy text[], any_workflow_status text[], created_from timestamptz,
            created_until timestamptz, updated_from timestamptz, with_metadata jsonb, also_tags text[],
            without tsquery, from_id uuid, sort text, from_time timestamptz, from_name text, max_rows integer,
            bound integer
        ) RETURNS uuid[] LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_sort = off
            SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $function$
            BEGIN
                IF bound IS NULL OR bound > 5000 THEN -- a custom plan costs 0.4 ms, and then a fifth less for each item
                    PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);
                END IF;
                CASE %s
                END CASE;
            END
        $function$
    $create$, statements);
END
$migration$;
-- +goose StatementEnd

-- item_find returns the ids of a page of the items that pass a filter, among the first ones that the indexes of words,
-- tags and metadata find for all accounts, and a null before them if the indexes find more. A statement with one index
-- is planned once. With several indexes, the planner decides each time which of them to ask. The settings keep it from
-- reading the table instead.
-- +goose StatementBegin
DO $migration$
DECLARE
    indexes record;
    statements text := '';
BEGIN
    FOR indexes IN VALUES
        ('num_nonnulls(index_search, any_tags, with_metadata) > 1', 'custom',
            '(index_search IS NULL OR i.search @@ index_search) AND (any_tags IS NULL OR i.tags && any_tags)'
            ' AND (with_metadata IS NULL OR i.metadata @> with_metadata)'),
        ('index_search IS NOT NULL', 'generic', 'i.search @@ index_search'),
        ('any_tags IS NOT NULL', 'generic', 'i.tags && any_tags'),
        ('with_metadata IS NOT NULL', 'generic', 'i.metadata @> with_metadata')
    LOOP
        statements := statements || format($statement$
            WHEN %s THEN
                PERFORM set_config('plan_cache_mode', 'force_%s_plan', true);
                RETURN ARRAY(SELECT CASE WHEN c.place > bound THEN NULL ELSE c.id END FROM (
                    SELECT i.id, i.account_id, i.created_at, i.updated_at, i.name, i.search, i.document_version, i.tags,
                        i.type, i.privacy, i.workflow_profile_id, i.workflow_status, i.metadata,
                        row_number() OVER () AS place
                    FROM item i WHERE %s LIMIT bound + 1
                ) c
                WHERE c.place > bound OR c.account_id = account AND (c.workflow_profile_id IS NULL
                        OR c.workflow_profile_id <> ALL ((SELECT hidden_profiles(account, role))::uuid[]))
                    AND item_columns_match(c.search, c.document_version, c.tags, c.type, c.privacy, c.workflow_status,
                        c.created_at, c.updated_at, c.metadata, search_for, stale_search, current_version, any_tags,
                        any_type, any_privacy, any_workflow_status, created_from, created_until, updated_from,
                        with_metadata)
                    AND (also_tags IS NULL OR c.tags && also_tags) AND (without IS NULL OR NOT c.search @@ without)
                    AND (from_id IS NULL OR CASE sort
                        WHEN 'created_at' THEN (c.created_at, c.id) > (from_time, from_id)
                        WHEN '-created_at' THEN (c.created_at, c.id) < (from_time, from_id)
                        WHEN 'updated_at' THEN (c.updated_at, c.id) > (from_time, from_id)
                        WHEN '-updated_at' THEN (c.updated_at, c.id) < (from_time, from_id)
                        WHEN 'name' THEN (lower(c.name) COLLATE item_name, c.id) > (from_name, from_id)
                        WHEN '-name' THEN (lower(c.name) COLLATE item_name, c.id) < (from_name, from_id) END)
                ORDER BY c.place > bound DESC,
                    CASE sort WHEN 'created_at' THEN c.created_at WHEN 'updated_at' THEN c.updated_at END,
                    CASE sort WHEN '-created_at' THEN c.created_at WHEN '-updated_at' THEN c.updated_at END DESC,
                    CASE WHEN sort = 'name' THEN lower(c.name) COLLATE item_name END,
                    CASE WHEN sort = '-name' THEN lower(c.name) COLLATE item_name END DESC,
                    CASE WHEN sort NOT LIKE '-%%' THEN c.id END, CASE WHEN sort LIKE '-%%' THEN c.id END DESC
                LIMIT max_rows);$statement$, indexes.column1, indexes.column2, indexes.column3);
    END LOOP;
    EXECUTE format($create$
        CREATE FUNCTION item_find(
            account uuid, role uuid, search_for tsquery, stale_search tsquery, current_version integer,
            any_tags text[], any_type text[], any_privacy text[], any_workflow_status text[], created_from timestamptz,
            created_until timestamptz, updated_from timestamptz, with_metadata jsonb, also_tags text[],
            without tsquery, from_id uuid, sort text, from_time timestamptz, from_name text, max_rows integer,
            index_search tsquery, bound integer
        ) RETURNS uuid[] LANGUAGE plpgsql STABLE SET plan_cache_mode = auto SET enable_seqscan = off
            SET enable_indexscan = off SET jit = off SET work_mem = '32MB' -- for exact bitmaps of a million items
        AS $function$
            BEGIN
                CASE %s
                END CASE;
            END
        $function$
    $create$, statements);
END
$migration$;
-- +goose StatementEnd

-- item_page returns the ids of a page of the items that pass a filter.
--
-- A walk through the list in its order finds frequent items soon, the indexes find rare ones. The planner's estimate of
-- which they are costs more than most pages, and is often wrong: it takes criteria for independent of each other and of
-- the order. In a million items it walked for 16 s for a tag that only the oldest 1 % have. So a short walk comes
-- first. It fills most pages, and some lists end within it. Otherwise the share of its items that passed decides which
-- way to try first. Each way has a bound. The planner's estimate serves only when both have reached theirs.
--
-- Postgres's CPU time for a page of 50 in ms, on a busy machine with two cores. The first column is a statement that is
-- planned for each list, the second item_page of migration 00118, which asked for two estimates, and the third this
-- one:
--
--     items that pass, of        2,000               50,000              a million
--     all, by a tag        1.4  1.5  0.8       1.2  1.3  0.6       1.2   1.6   0.9
--     all, by a word       1.3  1.6  0.9       1.3  1.7  0.7       1.4   1.8   1.1
--     all, by name         1.1  1.3  0.7       1.1  1.7  0.8       1.2   1.3   0.7
--     1 in 400             0.7  1.0  0.5       1.5  2.1  1.7       8.3  11.2  12.0
--     none, by a tag       0.6  1.0  0.4       0.6  1.1  0.4       0.6   1.0   0.3
--     none, by a word      0.7  1.0  0.5       0.6  1.1  0.5       0.7   1.2   0.6
--
-- The dearest in a million items, by the clock: two frequent words that are never together 4.7, 0.4 and 0.2 s, a phrase
-- of two frequent words that 25 items have 3.9, 2.8 and 2.0 s, a tag of the oldest half 1 to 2 s each.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION item_page(
    account uuid, role uuid, search_for tsquery, stale_search tsquery, current_version integer, any_tags text[],
    any_type text[], any_privacy text[], any_workflow_status text[], created_from timestamptz,
    created_until timestamptz, updated_from timestamptz, with_metadata jsonb, also_tags text[], without tsquery,
    from_id uuid, sort text, from_time timestamptz, from_name text, max_rows integer
) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    index_search CONSTANT tsquery := CASE WHEN stale_search IS NULL THEN index_query(search_for)
        ELSE index_query(search_for) || index_query(stale_search) END;
    walks boolean[] := ARRAY[true];                         -- step by step; false: ask the indexes
    bounds integer[] := ARRAY[greatest(2 * max_rows, 100)]; -- how many items to look at; null: all
    items float8;                                           -- in all
    passed float8;                                          -- of the short walk
    found float8;                                           -- by the indexes, as estimated
    walk integer;                                           -- the bound of a longer walk
    page uuid[];
BEGIN
    FOR step IN 1..5 LOOP
        IF walks[step] THEN
            page := item_walk(account, role, search_for, stale_search, current_version, any_tags, any_type, any_privacy,
                any_workflow_status, created_from, created_until, updated_from, with_metadata, also_tags, without,
                from_id, sort, from_time, from_name, max_rows, bounds[step]);
        ELSE
            page := item_find(account, role, search_for, stale_search, current_version, any_tags, any_type, any_privacy,
                any_workflow_status, created_from, created_until, updated_from, with_metadata, also_tags, without,
                from_id, sort, from_time, from_name, max_rows, index_search, bounds[step]);
        END IF;
        EXIT WHEN array_position(page, NULL) IS NULL;
        IF step = 1 AND index_search IS NULL AND any_tags IS NULL AND with_metadata IS NULL THEN
            walks := walks || true;
            bounds := bounds || NULL::integer;
        ELSIF step = 1 THEN
            items := (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'item'::regclass);
            passed := greatest(cardinality(page) - 1.5, 0.5); -- one less half: filters for rare items are more usual
            walk := least(4 * max_rows * bounds[1] / passed, 20000); -- four times the expected, because items cluster
            -- An item that an index finds costs as much as three of a walk, whose items share pages.
            IF passed < 1 OR 3 * items * passed / bounds[1] <= max_rows * bounds[1] / passed THEN
                walks := walks || ARRAY[false, true];
                bounds := bounds || ARRAY[10000, walk];
            ELSE
                walks := walks || ARRAY[true, false];
                bounds := bounds || ARRAY[walk, 10000];
            END IF;
        ELSIF step = 3 THEN
            found := item_estimate(account, index_search, NULL, NULL, any_tags, NULL, NULL, NULL, NULL, NULL, NULL,
                with_metadata);
            IF found > items / 3 THEN
                walks := walks || true;
                bounds := bounds || NULL::integer;
            ELSE
                walks := walks || ARRAY[true, false];
                bounds := bounds || ARRAY[80000, NULL];
            END IF;
        END IF;
    END LOOP;
    RETURN page;
END
$$;
-- +goose StatementEnd
DROP FUNCTION item_candidates;
