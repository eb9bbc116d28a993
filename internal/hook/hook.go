package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/change"
	"itemcast/internal/db"
	"itemcast/internal/hook/egress"
	"itemcast/internal/hook/internal/store"
	"itemcast/internal/hook/sending"
	"itemcast/internal/item"
	"itemcast/internal/page"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/standardwebhooks"
)

// keepOldSecret is how long the secret that was signs too, beside the new one.
const keepOldSecret = 24 * time.Hour

// maxHooks is how many an account may have: each is looked at with each batch of changes.
const maxHooks = 1000

// Hook is an endpoint of an account and what is sent there, as it is shown: without the values of its headers, and without its secret, which
// is told once.
type Hook struct {
	ID uuid.UUID
	Settings
	DisabledReason *string    // why Itemcast made it inactive; nil: it did not
	OldSecretUntil *time.Time // up to when the secret before the last rotation signs too; nil: it does not
	LastSuccessAt  *time.Time
	LastFailureAt  *time.Time
	FailingSince   *time.Time // nil: the last attempt succeeded
	LastError      *string    // of the last failure; nil: there was none
	Pending        int64      // deliveries that are not done with, counted up to 1,000
	Revision       int64      // of the settings and the secret: raised by each write to them
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Service keeps an account's hooks, and what is done with them by hand. Its methods may be called concurrently, and need hooks.manage.
type Service struct {
	pool    *pgxpool.Pool
	feed    *change.Feed
	reach   egress.Policy
	sender  *sending.Sender
	items   Items
	wake    func(hooks ...uuid.UUID)
	tests   *turns // by hook
	testers *turns // by account
}

// Config is what a Service is made of.
type Config struct {
	Pool   *pgxpool.Pool
	Feed   *change.Feed
	Reach  egress.Policy // what hooks may reach
	Sender *sending.Sender
	Items  Items
	Wake   func(hooks ...uuid.UUID) // dispatch.Dispatcher.Wake; nil: a sweep finds what is requested by hand
}

// Items is what hooks need of the items. It is *item.Service.
type Items interface {
	// Sample returns a document to try a hook with: that of the item, else of the newest, else a made-up one.
	Sample(ctx context.Context, id *uuid.UUID) (item.Document, error)
	// Hold calls fn in a transaction that holds an item.
	Hold(ctx context.Context, id uuid.UUID, fn func(ctx context.Context, tx pgx.Tx, held item.Held) error) error
}

// NewService makes a Service.
func NewService(c Config) *Service {
	if c.Wake == nil {
		c.Wake = func(...uuid.UUID) {}
	}
	return &Service{pool: c.Pool, feed: c.Feed, reach: c.Reach, sender: c.Sender, items: c.Items, wake: c.Wake, tests: newTurns(maxTestsPerHook), testers: newTurns(maxTestsPerAccount)}
}

// Create makes a hook of Settings as JSON in the form of the contract. It gets every change that it asks for and that is committed from now
// on. The secret is told in this answer only. Errors: INVALID_INPUT with every fault, RULE_VIOLATED when the URL is one that hooks may not
// reach, CONFLICT for one too many.
func (s *Service) Create(ctx context.Context, settings []byte) (Hook, string, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Hook{}, "", err
	}
	asked, err := Settings{Active: true}.patched(settings)
	if err != nil {
		return Hook{}, "", err
	}
	if asked, err = asked.checked(ctx, s.pool, actor.AccountID, s.reach); err != nil {
		return Hook{}, "", err
	}
	columns, err := asked.columns()
	if err != nil {
		return Hook{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Hook{}, "", fmt.Errorf("make an id: %w", err)
	}
	secret := standardwebhooks.NewSecret().Text()
	var made Hook
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		n, err := q.InsertHook(ctx, store.InsertHookParams{MaxHooks: maxHooks, ID: id, AccountID: actor.AccountID, Url: asked.URL, Description: asked.Description,
			Events: asked.Events, Filter: columns.filter, ChangedFields: asked.ChangedFields, Headers: columns.headers, Body: asked.Body,
			RateLimit: asked.RateLimit, MaxInFlight: asked.MaxInFlight, Active: asked.Active, Secret: secret})
		if err != nil {
			return fmt.Errorf("insert hook: %w", err)
		}
		if n == 0 {
			return problem.New(problem.Conflict, "An account may have %d hooks; delete one before.", maxHooks)
		}
		if made, err = get(ctx, q, actor.AccountID, id); err != nil {
			return err
		}
		return audit(ctx, tx, hookCreated, id, map[string]any{"host": hostOf(asked.URL), "events": asked.Events})
	})
	return made, secret, err
}

// List returns up to limit hooks, newest first, from after on, which is empty or what an earlier List gave as next; next is empty at the
// end. Error: INVALID_CURSOR.
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
	rows, next = page.Cut(rows, limit, func(row store.ListHooksRow) string { return page.Token("hooks", row.ID) })
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

// Patch applies a merge patch (RFC 7396) to a hook's Settings. Objects named in replaced are set as a whole. What is
// pending is sent as the hook is then: to a new URL, with new headers. A
// hook that becomes active again begins anew; one that is made inactive is sent nothing more, and what is pending fails. Errors: NOT_FOUND,
// REVISION_MISMATCH, and those of Create. A patch that changes nothing writes nothing.
func (s *Service) Patch(ctx context.Context, id uuid.UUID, patch []byte, condition revision.Condition, replaced ...string) (Hook, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Hook{}, err
	}
	var patched Hook
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.HookForUpdate(ctx, store.HookForUpdateParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return orNotFound(err)
		}
		if err := condition.Check(row.Revision); err != nil {
			return err
		}
		before, err := settingsOf(store.GetHookRow{Url: row.Url, Description: row.Description, Events: row.Events, Filter: row.Filter,
			ChangedFields: row.ChangedFields, Headers: row.Headers, Body: row.Body, RateLimit: row.RateLimit, MaxInFlight: row.MaxInFlight, Active: row.Active})
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
		if len(changed) == 0 {
			patched, err = get(ctx, q, actor.AccountID, id)
			return err
		}
		columns, err := after.columns()
		if err != nil {
			return err
		}
		err = q.UpdateHook(ctx, store.UpdateHookParams{AccountID: actor.AccountID, ID: id, Url: after.URL, Description: after.Description,
			Events: after.Events, Filter: columns.filter, ChangedFields: after.ChangedFields, Headers: columns.headers, Body: after.Body,
			RateLimit: after.RateLimit, MaxInFlight: after.MaxInFlight, Active: after.Active})
		if err != nil {
			return fmt.Errorf("update hook: %w", err)
		}
		db.AfterCommit(ctx, func() { s.wake(id) })
		if patched, err = get(ctx, q, actor.AccountID, id); err != nil {
			return err
		}
		return auditPatch(ctx, tx, id, changed, before, after)
	})
	return patched, err
}

// RotateSecret gives a hook a new secret, and tells it. Requests are signed with both for a day (until), unless the old one is revoked: then
// it is worth nothing from now on. Error: NOT_FOUND.
func (s *Service) RotateSecret(ctx context.Context, id uuid.UUID, revoke bool) (secret string, until *time.Time, err error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return "", nil, err
	}
	secret = standardwebhooks.NewSecret().Text()
	keep := keepOldSecret
	if revoke {
		keep = 0
	}
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		until, err = store.New(tx).RotateSecret(ctx, store.RotateSecretParams{AccountID: actor.AccountID, ID: id, Secret: secret, KeepFor: keep.Seconds()})
		if err != nil {
			return orNotFound(err)
		}
		return audit(ctx, tx, secretRotated, id, map[string]any{"revoked": revoke})
	})
	if err != nil {
		return "", nil, err
	}
	if revoke {
		return secret, nil, nil
	}
	return secret, utc(until), nil
}

// Delete deletes a hook and drops what was not delivered yet; what is being sent still arrives. Errors: NOT_FOUND,
// REVISION_MISMATCH.
func (s *Service) Delete(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		row, err := q.HookForUpdate(ctx, store.HookForUpdateParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return orNotFound(err)
		}
		if err := condition.Check(row.Revision); err != nil {
			return err
		}
		if err := q.DeleteHook(ctx, store.DeleteHookParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("delete hook: %w", err)
		}
		return audit(ctx, tx, hookDeleted, id, map[string]any{"host": hostOf(row.Url)})
	})
}

var errNotFound = problem.New(problem.NotFound, "There is no such hook.")

func orNotFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return errNotFound
	}
	return err
}

func get(ctx context.Context, q *store.Queries, accountID, id uuid.UUID) (Hook, error) {
	row, err := q.GetHook(ctx, store.GetHookParams{AccountID: accountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Hook{}, errNotFound
	}
	if err != nil {
		return Hook{}, fmt.Errorf("read hook: %w", err)
	}
	return fromRow(row)
}

func fromRow(row store.GetHookRow) (Hook, error) {
	settings, err := settingsOf(row)
	if err != nil {
		return Hook{}, err
	}
	h := Hook{
		ID: row.ID, Settings: settings.masked(), DisabledReason: row.DisabledReason, LastError: row.LastError, FailingSince: utc(row.FailingSince),
		LastSuccessAt: utc(row.LastSuccessAt), LastFailureAt: utc(row.LastFailureAt), Pending: row.Pending, Revision: row.Revision,
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(),
	}
	if row.OldSecretUntil != nil && row.OldSecretUntil.After(time.Now()) {
		h.OldSecretUntil = utc(row.OldSecretUntil)
	}
	return h, nil
}

// columns are the settings that are stored as JSON.
type columns struct{ filter, headers []byte }

func (s Settings) columns() (c columns, err error) {
	if s.Filter != nil {
		if c.filter, err = json.Marshal(s.Filter); err != nil {
			return c, fmt.Errorf("encode filter: %w", err)
		}
	}
	if c.headers, err = json.Marshal(s.Headers); err != nil {
		return c, fmt.Errorf("encode headers: %w", err)
	}
	return c, nil
}

// settingsOf are a row's settings, with the values of headers.
func settingsOf(row store.GetHookRow) (Settings, error) {
	s := Settings{URL: row.Url, Description: row.Description, Events: row.Events, ChangedFields: row.ChangedFields, Body: row.Body,
		RateLimit: row.RateLimit, MaxInFlight: row.MaxInFlight, Active: row.Active}
	var err error
	if s.Filter, err = decodeFilter(row.Filter); err != nil {
		return s, err
	}
	s.Headers, err = decodeHeaders(row.Headers)
	return s, err
}

func decodeFilter(raw []byte) (*Filter, error) {
	if raw == nil {
		return nil, nil
	}
	var f Filter
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("decode filter: %w", err)
	}
	return &f, nil
}

func decodeHeaders(raw []byte) (headers map[string]string, err error) {
	if string(raw) == "{}" {
		return nil, nil
	}
	if err := json.Unmarshal(raw, &headers); err != nil {
		return nil, fmt.Errorf("decode headers: %w", err)
	}
	return headers, nil
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

// A place in the list is the id of the last hook before it; opaque to clients.
