package hook

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/standardwebhooks"
)

// maxHooks bounds the hooks of an account: the fan-out examines each of them for each batch of changes.
const maxHooks = 1000

// Hook is an endpoint of an account, with its settings. The values of its headers are masked, and its secret is not
// part of it.
type Hook struct {
	ID uuid.UUID
	Settings
	DisabledReason *string    // why Itemcast made it inactive; nil: it did not
	OldSecretUntil *time.Time // the previous secret also signs until then; nil: it does not
	LastSuccessAt  *time.Time
	LastFailureAt  *time.Time
	FailingSince   *time.Time // nil: the last attempt succeeded
	LastError      *string    // of the last failure; nil: there was none
	Pending        int64      // pending deliveries, counted up to 1,000
	Revision       int64      // raised by each change to the settings or the secret
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Create makes a hook from the JSON of its Settings. The hook receives the changes that are committed from now on.
// The secret is returned only here. Errors: INVALID_INPUT with every fault; RULE_VIOLATED when hooks may not reach
// the URL; CONFLICT when the account has 1,000 hooks.
func (s *Service) Create(ctx context.Context, settings []byte) (h Hook, secret string, err error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Hook{}, "", err
	}
	wanted, err := Settings{Active: true}.patched(settings)
	if err != nil {
		return Hook{}, "", err
	}
	if wanted, err = wanted.checked(ctx, s.pool, actor.AccountID, s.reach); err != nil {
		return Hook{}, "", err
	}
	columns, err := wanted.columns()
	if err != nil {
		return Hook{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Hook{}, "", fmt.Errorf("make an id: %w", err)
	}
	secret = standardwebhooks.NewSecret().Text()
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		inserted, err := q.InsertHook(ctx, store.InsertHookParams{
			MaxHooks: maxHooks, ID: id, AccountID: actor.AccountID, Secret: secret,
			Url: wanted.URL, Description: wanted.Description, Events: wanted.Events, Filter: columns.filter,
			ChangedFields: wanted.ChangedFields, Headers: columns.headers, Body: wanted.Body,
			RateLimit: wanted.RateLimit, MaxInFlight: wanted.MaxInFlight, Active: wanted.Active,
		})
		if err != nil {
			return fmt.Errorf("insert hook: %w", err)
		}
		if inserted == 0 {
			return problem.New(problem.Conflict, "An account can have %d hooks. Delete one first.", maxHooks)
		}
		if h, err = get(ctx, q, actor.AccountID, id); err != nil {
			return err
		}
		return audit(ctx, tx, hookCreated, id, map[string]any{"host": egress.Host(wanted.URL), "events": wanted.Events})
	})
	return h, secret, err
}

// PageToken returns the token of the hook's place in the list of hooks.
func (h Hook) PageToken() string { return page.Token("hooks", h.ID) }

// List returns up to limit hooks, newest first, after a page token; the empty token is the first page. The next
// token is empty on the last page. Error: INVALID_PAGE_TOKEN.
func (s *Service) List(ctx context.Context, limit int, after string) (hooks []Hook, next string, err error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "hooks")
	if err != nil {
		return nil, "", err
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListHooks(ctx, store.ListHooksParams{
		AccountID: actor.AccountID, BeforeID: before, MaxRows: int32(limit + 1),
	})
	if err != nil {
		return nil, "", fmt.Errorf("list hooks: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListHooksRow) string { return Hook{ID: row.ID}.PageToken() })
	hooks = make([]Hook, len(rows))
	for i, row := range rows {
		if hooks[i], err = fromRow(store.GetHookRow(row)); err != nil {
			return nil, "", err
		}
	}
	return hooks, next, nil
}

// Get returns a hook. Error: NOT_FOUND.
func (s *Service) Get(ctx context.Context, id uuid.UUID) (Hook, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Hook{}, err
	}
	return get(ctx, store.New(db.Read(ctx, s.pool)), actor.AccountID, id)
}

// Patch applies a merge patch (RFC 7396) to a hook's settings. Objects named in replaced are set as a whole.
// Pending deliveries use the new settings. When a hook becomes inactive, its pending deliveries fail. When it becomes
// active again, its record of failures is cleared. A patch that changes nothing writes nothing. Errors: NOT_FOUND,
// REVISION_MISMATCH, and those of Create.
func (s *Service) Patch(
	ctx context.Context, id uuid.UUID, patch []byte, condition revision.Condition, replaced ...string,
) (Hook, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Hook{}, err
	}
	var h Hook
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		before, err := lock(ctx, q, actor.AccountID, id, condition)
		if err != nil {
			return err
		}
		after, err := before.patched(patch, replaced...)
		if err != nil {
			return err
		}
		if after, err = after.checked(ctx, s.pool, actor.AccountID, s.reach); err != nil {
			return err
		}
		changed, err := changedSettings(before, after)
		if err != nil {
			return err
		}
		if len(changed) > 0 {
			if err := update(ctx, q, actor.AccountID, id, after); err != nil {
				return err
			}
			if err := auditUpdate(ctx, tx, id, changed, before, after); err != nil {
				return err
			}
			db.AfterCommit(ctx, func() { s.wake(id) })
		}
		h, err = get(ctx, q, actor.AccountID, id)
		return err
	})
	return h, err
}

func update(ctx context.Context, q *store.Queries, accountID, id uuid.UUID, s Settings) error {
	columns, err := s.columns()
	if err != nil {
		return err
	}
	err = q.UpdateHook(ctx, store.UpdateHookParams{
		AccountID: accountID, ID: id, Url: s.URL, Description: s.Description, Events: s.Events, Filter: columns.filter,
		ChangedFields: s.ChangedFields, Headers: columns.headers, Body: s.Body, RateLimit: s.RateLimit,
		MaxInFlight: s.MaxInFlight, Active: s.Active,
	})
	if err != nil {
		return fmt.Errorf("update hook: %w", err)
	}
	return nil
}

// Delete deletes a hook and its pending deliveries. Requests that are already on their way still arrive. Errors:
// NOT_FOUND, REVISION_MISMATCH.
func (s *Service) Delete(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		before, err := lock(ctx, q, actor.AccountID, id, condition)
		if err != nil {
			return err
		}
		if err := q.DeleteHook(ctx, store.DeleteHookParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete hook: %w", err)
		}
		return audit(ctx, tx, hookDeleted, id, map[string]any{"host": egress.Host(before.URL)})
	})
}
