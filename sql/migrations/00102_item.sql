-- +goose Up
CREATE TABLE metadata_field (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    key         text NOT NULL,
    label       text NOT NULL,
    description text NOT NULL DEFAULT '',
    kind        text NOT NULL CHECK (kind IN ('text', 'number', 'bool', 'date', 'choice')),
    choices     text[] NOT NULL DEFAULT '{}',
    required    boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    revision    bigint NOT NULL DEFAULT 1,
    UNIQUE (account_id, key)
);

-- array_to_string is only STABLE, because the output of some element types depends on settings; that of text does not.
CREATE FUNCTION join_words(words text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_string(words, ' ');

-- The text that full-text search finds an item by. The index and the filter of live events use this one definition.
CREATE FUNCTION item_search(name text, description text, tags text[], metadata jsonb) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN setweight(to_tsvector('simple', name), 'A')
        || setweight(to_tsvector('simple', join_words(tags)), 'B')
        || setweight(to_tsvector('simple', description), 'C')
        || setweight(jsonb_to_tsvector('simple', metadata, '["string", "numeric"]'), 'D');

CREATE TABLE item (
    id                  uuid PRIMARY KEY,
    account_id          uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    name                text NOT NULL,
    description         text NOT NULL,
    type                text NOT NULL CHECK (type IN ('video', 'audio', 'image', 'document', 'live')),
    privacy             text NOT NULL CHECK (privacy IN ('public', 'unlisted', 'private')),
    language            text,
    producer            text,
    duration            double precision,            -- seconds
    tags                text[] NOT NULL,
    metadata            jsonb NOT NULL,
    client_data         json NOT NULL,               -- json, not jsonb: the client's bytes, unchanged
    snapshot_id         uuid,
    embed_code          text,
    player_url          text,
    workflow_profile_id uuid CONSTRAINT item_workflow_profile REFERENCES workflow_profile,
    workflow_status     text,
    workflow_action     text,
    created_by          uuid,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    published_at        timestamptz,
    revision            bigint NOT NULL,
    document            bytea NOT NULL,              -- the exact bytes of GET, hooks and subscriptions
    document_version    integer NOT NULL,            -- the version of the renderer that wrote document
    search              tsvector NOT NULL GENERATED ALWAYS AS (item_search(name, description, tags, metadata)) STORED
) WITH (fillfactor = 85);
-- Each of the first three serves one sort in both directions. The id makes the order total, so that keyset paging
-- neither skips nor repeats an item.
CREATE INDEX item_by_created ON item (account_id, created_at, id);
CREATE INDEX item_by_updated ON item (account_id, updated_at, id);
CREATE INDEX item_by_name ON item (account_id, lower(name) COLLATE "C", id);
CREATE INDEX item_tags ON item USING gin (tags);
CREATE INDEX item_metadata ON item USING gin (metadata jsonb_path_ops);
CREATE INDEX item_search_words ON item USING gin (search);
CREATE INDEX item_document_version ON item (document_version);
CREATE INDEX item_by_workflow_profile ON item (workflow_profile_id) WHERE workflow_profile_id IS NOT NULL;

-- item_matches reports whether an item passes a filter. A null criterion passes every item. Every statement that
-- filters items uses this one definition. Keep it inlinable (no STRICT, no SET, one expression), so that the planner
-- can use the indexes.
CREATE FUNCTION item_matches(
    i item, search_for text, any_tags text[], any_type text[], any_privacy text[], any_workflow_status text[],
    created_from timestamptz, created_until timestamptz, updated_from timestamptz, with_metadata jsonb
) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (search_for IS NULL OR (i).search @@ websearch_to_tsquery('simple', search_for))
       AND (any_tags IS NULL OR (i).tags && any_tags)
       AND (any_type IS NULL OR (i).type = ANY (any_type))
       AND (any_privacy IS NULL OR (i).privacy = ANY (any_privacy))
       AND (any_workflow_status IS NULL OR (i).workflow_status = ANY (any_workflow_status))
       AND (created_from IS NULL OR (i).created_at > created_from)
       AND (created_until IS NULL OR (i).created_at < created_until)
       AND (updated_from IS NULL OR (i).updated_at > updated_from)
       AND (with_metadata IS NULL OR (i).metadata @> with_metadata);

-- The ids of assets and snapshots are unique only within their item, so that clients and imports may choose them.
CREATE TABLE asset (
    account_id   uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    item_id      uuid NOT NULL REFERENCES item ON DELETE CASCADE,
    id           uuid NOT NULL,
    position     integer NOT NULL,                   -- its index in the item's list
    kind         text NOT NULL CHECK (kind IN ('source', 'rendition', 'audio', 'subtitle')),
    url          text NOT NULL,
    content_type text NOT NULL,
    size         bigint,                             -- bytes
    width        integer,
    height       integer,
    bitrate      bigint,                             -- bits per second
    language     text,
    PRIMARY KEY (item_id, id)
);

CREATE TABLE snapshot (
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    item_id    uuid NOT NULL REFERENCES item ON DELETE CASCADE,
    id         uuid NOT NULL,
    position   integer NOT NULL,                     -- its index in the item's list
    url        text NOT NULL,
    PRIMARY KEY (item_id, id)
);

-- The progress of an import, so that an interrupted one resumes without duplicates.
CREATE TABLE item_import (
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    key        text NOT NULL,
    line       bigint NOT NULL,                      -- the last line that was processed
    created    bigint NOT NULL,
    updated    bigint NOT NULL,
    unchanged  bigint NOT NULL,
    rejected   bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    digest     bytea,                                -- SHA-256 of the processed lines, with which a resumed import must
                                                     -- begin; null: none
    PRIMARY KEY (account_id, key)
);
