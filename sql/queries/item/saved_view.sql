-- ListViews reads the views of a user and those that others share.
-- name: ListViews :many
SELECT v.id, v.user_id, v.name, v.query, v.shared, v.created_at, v.updated_at
FROM saved_view v
WHERE v.account_id = @account_id AND (v.user_id = @user_id OR v.shared)
ORDER BY v.user_id <> @user_id, lower(v.name), v.id LIMIT @max_rows::integer;

-- name: CountViews :one
SELECT count(*) FROM saved_view WHERE account_id = @account_id AND user_id = @user_id AND name <> @name;

-- SaveView replaces the user's view of the same name.
-- name: SaveView :one
INSERT INTO saved_view (id, account_id, user_id, name, query, shared)
VALUES (@id, @account_id, @user_id, @name, @query, @shared)
ON CONFLICT (user_id, name) DO UPDATE SET query = EXCLUDED.query, shared = EXCLUDED.shared, updated_at = now()
RETURNING id, user_id, name, query, shared, created_at, updated_at;

-- DeleteView deletes a view of the user, or a shared one of anybody.
-- name: DeleteView :execrows
DELETE FROM saved_view WHERE account_id = @account_id AND id = @id AND (user_id = @user_id OR shared AND @any_shared::boolean);
