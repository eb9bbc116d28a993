-- +goose Up
-- URLs of hooks are stored in the form in which they are requested. Rows of before have raw characters, which now become
-- what normalize.go makes of them. A % without two hexadecimal digits was sent as it is: most servers read it as %.
UPDATE hook SET revision = revision + 1, url = (
    SELECT string_agg(CASE WHEN c ~ '[^!-~]|["<>|^`{}\\]'
        THEN upper(regexp_replace(encode(convert_to(c, 'UTF8'), 'hex'), '(..)', '%\1', 'g')) ELSE c END, '' ORDER BY n)
    FROM regexp_split_to_table(regexp_replace(url, '%(?![0-9A-Fa-f]{2})', '%25', 'g'), '')
        WITH ORDINALITY AS s (c, n))
WHERE url ~ '[^!-~]|["<>|^`{}\\]|%(?![0-9A-Fa-f]{2})';
