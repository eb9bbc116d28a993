-- +goose Up
-- RFC 3339 has years of four digits. An earlier import could store other times, whose documents no client could read.
-- They get the nearest time that can be written, and their documents are rendered again.
UPDATE item SET
    created_at = least(greatest(created_at, '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59.999999+00'),
    updated_at = least(greatest(updated_at, '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59.999999+00'),
    published_at = CASE WHEN published_at IS NOT NULL THEN
        least(greatest(published_at, '0001-01-01 00:00:00+00'), '9999-12-31 23:59:59.999999+00') END,
    document_version = 0
WHERE created_at NOT BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'
   OR updated_at NOT BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'
   OR published_at NOT BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00';

ALTER TABLE item ADD CONSTRAINT item_times CHECK (
    created_at BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'
    AND updated_at BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00'
    AND published_at BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-31 23:59:59.999999+00');
