-- Text is stored in Unicode's composed form (NFC). Items get theirs in the background, each as a change of the system.
-- A name stays as it is if it would collide with another one.

-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RETURN; -- normalize() works in UTF8 only
    END IF;
    UPDATE metadata_field SET label = normalize(label), description = normalize(description),
        choices = ARRAY(SELECT c.choice FROM (
            SELECT normalize(u.choice) AS choice, min(u.place) AS place
            FROM unnest(choices) WITH ORDINALITY u(choice, place) GROUP BY 1) c ORDER BY c.place),
        updated_at = now(), revision = revision + 1
    WHERE label || description || join_words(choices) IS NOT NFC NORMALIZED;
    UPDATE role r SET name = normalize(name), updated_at = now(), revision = revision + 1
    WHERE name IS NOT NFC NORMALIZED AND NOT EXISTS (
        SELECT FROM role o WHERE o.account_id = r.account_id AND o.id <> r.id
            AND lower(normalize(o.name)) = lower(normalize(r.name)));
    UPDATE app_user SET name = normalize(name), updated_at = now(), revision = revision + 1
    WHERE name IS NOT NFC NORMALIZED;
    UPDATE app_user u SET email = normalize(email), updated_at = now(), revision = revision + 1
    WHERE email IS NOT NFC NORMALIZED AND NOT EXISTS (
        SELECT FROM app_user o WHERE o.id <> u.id AND lower(normalize(o.email)) = lower(normalize(u.email)));
    UPDATE workflow_profile p SET name = normalize(name), description = normalize(description), updated_at = now(),
        revision = revision + 1
    WHERE name || description IS NOT NFC NORMALIZED AND NOT EXISTS (
        SELECT FROM workflow_profile o WHERE o.account_id = p.account_id AND o.id <> p.id
            AND lower(normalize(o.name)) = lower(normalize(p.name)));
    UPDATE hook SET description = normalize(description), updated_at = now(), revision = revision + 1
    WHERE description IS NOT NFC NORMALIZED;
END
$$;
-- +goose StatementEnd
