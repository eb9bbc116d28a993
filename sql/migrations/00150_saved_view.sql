-- +goose Up
-- A view of the list of items that a user has saved under a name. Existing users have none.
CREATE TABLE saved_view (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES app_user ON DELETE CASCADE, -- whose it is
    name       text NOT NULL,
    query      text NOT NULL,                         -- the parameters of the list, as in its address
    shared     boolean NOT NULL,                      -- whether the account's other users see it
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, name)
);
CREATE INDEX saved_view_shared ON saved_view (account_id) WHERE shared;
