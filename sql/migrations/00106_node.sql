-- +goose Up
-- The settings that the server last ran with, for commands that work on its database. One row, written by the first
-- start of a server.
CREATE TABLE instance (
    single     boolean PRIMARY KEY DEFAULT true CHECK (single),
    public_url text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
