-- +goose Up
-- What the server last ran with, for commands that work on its database beside it. One row, once a server has run.
CREATE TABLE instance (
    single     boolean PRIMARY KEY DEFAULT true CHECK (single),
    public_url text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE instance;
