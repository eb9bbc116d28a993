-- +goose Up
-- rendering is part of the ETag, so that a client's cache never takes new bytes for old ones.
ALTER TABLE item ADD COLUMN rendering integer NOT NULL DEFAULT 0; -- 0: the document is the first rendering of its
                                                                  -- revision; else what item.rerendered numbers it

-- The first renderer also escaped <, >, & and U+2028/9 in client_data, which is stored as clients send it since.
-- (?<!\\)((?:\\\\)*) passes over escaped backslashes, such as in "\\u0026".
UPDATE item SET client_data = regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    client_data::text,
    '(?<!\\)((?:\\\\)*)\\u0026', '\1&', 'g'), '(?<!\\)((?:\\\\)*)\\u003c', '\1<', 'g'),
    '(?<!\\)((?:\\\\)*)\\u003e', '\1>', 'g'), '(?<!\\)((?:\\\\)*)\\u2028', '\1' || U&'\2028', 'g'),
    '(?<!\\)((?:\\\\)*)\\u2029', '\1' || U&'\2029', 'g')::json
WHERE client_data::text ~ '\\u(0026|003c|003e|2028|2029)';
