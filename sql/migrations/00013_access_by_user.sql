-- A change of a user is told with whose it is, so that what is known of everybody else stays, and not at all when there is no such row. The
-- payloads are '' (forget all that is known of users), 'user ID' (what is known of this one), 'session ID' (what is known of this user's
-- sessions) and 'profile' (what was rendered of items).

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION notify_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', 'user ' || OLD.id);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION notify_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', 'session ' || OLD.user_id);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
DROP TRIGGER app_user_changed ON app_user;
DROP TRIGGER session_ended ON session;
CREATE TRIGGER app_user_changed AFTER UPDATE OR DELETE ON app_user FOR EACH ROW EXECUTE FUNCTION notify_user_changed();
CREATE TRIGGER session_ended AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION notify_session_ended();

-- A link works as long as whoever made it could make it still. Of those that there are nobody knows who made them.
DELETE FROM reset_link;
ALTER TABLE reset_link ADD COLUMN made_by uuid REFERENCES app_user ON DELETE CASCADE; -- null: the operator

-- +goose Down
ALTER TABLE reset_link DROP COLUMN made_by;
DROP TRIGGER app_user_changed ON app_user;
DROP TRIGGER session_ended ON session;
CREATE TRIGGER app_user_changed AFTER UPDATE OR DELETE ON app_user FOR EACH STATEMENT EXECUTE FUNCTION notify_access();
CREATE TRIGGER session_ended AFTER DELETE ON session FOR EACH STATEMENT EXECUTE FUNCTION notify_access('session');
DROP FUNCTION notify_user_changed, notify_session_ended;
