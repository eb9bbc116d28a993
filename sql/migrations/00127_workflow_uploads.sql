-- +goose Up
-- Uploads with tickets. Existing profiles take none: {} is a profile's setting that was never changed.
ALTER TABLE workflow_profile
    ADD COLUMN uploads                 jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN upload_secret           text,         -- icu_…, signs tickets; null: it was never made
    ADD COLUMN old_upload_secret       text,         -- also signs, until old_upload_secret_until
    ADD COLUMN old_upload_secret_until timestamptz;
