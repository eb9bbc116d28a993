package hook

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account"
	"itemcast/internal/db"
	"itemcast/internal/db/dbsqlc"
	"itemcast/internal/problem"
)

// Hook is an endpoint of an account and what is sent there. Its secret is not part of it: it is told once.
type Hook struct {
	ID             uuid.UUID
	URL            string
	Description    string
	Events         []string
	Active         bool
	DisabledReason *string // why Itemcast made it inactive; nil: it did not
	LastSuccessAt  *time.Time
	LastFailureAt  *time.Time
	LastError      *string // of the last failure; nil: there was none
	Pending        int64   // deliveries that are not done with, counted up to 1,000
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Service keeps an account's hooks. Its methods may be called concurrently.
type Service struct {
	pool    *pgxpool.Pool
	allowed []netip.Prefix
}

// NewService makes a Service. Hooks may reach the allowed networks although they are not public (Config.AllowNetworks).
func NewService(pool *pgxpool.Pool, allowed []netip.Prefix) *Service {
	return &Service{pool: pool, allowed: allowed}
}

// Create makes a hook, which gets every change that it asks for and that is committed from now on, and tells its secret.
// Needs hooks.manage. Errors: INVALID_INPUT with every fault, RULE_VIOLATED when the URL's host is an address that hooks may not reach.
func (s *Service) Create(ctx context.Context, in Input) (Hook, string, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Hook{}, "", err
	}
	in, err = in.checked(s.allowed)
	if err != nil {
		return Hook{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Hook{}, "", fmt.Errorf("make an id: %w", err)
	}
	secret := newSecret()
	var row dbsqlc.InsertHookRow
	err = db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		row, err = dbsqlc.New(tx).InsertHook(ctx, dbsqlc.InsertHookParams{
			ID: id, AccountID: actor.AccountID, Url: in.URL, Description: in.Description, Events: in.Events, Active: *in.Active, Secret: secret,
		})
		return err
	})
	if err != nil {
		return Hook{}, "", fmt.Errorf("insert hook: %w", err)
	}
	return fromRow(dbsqlc.GetHookRow(row)), secret, nil
}

// List returns up to limit hooks, newest first, from after on, which is empty or what an earlier List gave as next; next is empty at the
// end. Needs hooks.manage. Error: INVALID_CURSOR.
func (s *Service) List(ctx context.Context, limit int, after string) (hooks []Hook, next string, err error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return nil, "", err
	}
	before, err := readPlace(after)
	if err != nil {
		return nil, "", err
	}
	rows, err := dbsqlc.New(db.Read(ctx, s.pool)).ListHooks(ctx, dbsqlc.ListHooksParams{
		AccountID: actor.AccountID, BeforeID: before, MaxRows: int32(limit + 1),
	})
	if err != nil {
		return nil, "", fmt.Errorf("list hooks: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = place(rows[limit-1].ID)
	}
	hooks = make([]Hook, len(rows))
	for i, row := range rows {
		hooks[i] = fromRow(dbsqlc.GetHookRow(row))
	}
	return hooks, next, nil
}

// Get returns a hook. Needs hooks.manage. Error: NOT_FOUND.
func (s *Service) Get(ctx context.Context, id uuid.UUID) (Hook, error) {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return Hook{}, err
	}
	row, err := dbsqlc.New(db.Read(ctx, s.pool)).GetHook(ctx, dbsqlc.GetHookParams{AccountID: actor.AccountID, ID: id})
	if errors.Is(err, pgx.ErrNoRows) {
		return Hook{}, errNotFound
	}
	if err != nil {
		return Hook{}, fmt.Errorf("read hook: %w", err)
	}
	return fromRow(row), nil
}

// Delete deletes a hook and drops what was not delivered yet; what is being sent still arrives. Needs hooks.manage. Error: NOT_FOUND.
func (s *Service) Delete(ctx context.Context, id uuid.UUID) error {
	actor, err := account.Authorize(ctx, account.HooksManage)
	if err != nil {
		return err
	}
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := dbsqlc.New(tx)
		if err := q.LockLines(ctx); err != nil {
			return fmt.Errorf("lock lines: %w", err)
		}
		deleted, err := q.DeleteHook(ctx, dbsqlc.DeleteHookParams{AccountID: actor.AccountID, ID: id})
		if err != nil {
			return fmt.Errorf("delete hook: %w", err)
		}
		if deleted == 0 {
			return errNotFound
		}
		return nil
	})
}

// Wanting returns the account's active hooks that ask for event, as tx sees them. It is for the item service, which has authorized its
// caller: a trigger by hand is recorded with these hooks as its targets.
func (s *Service) Wanting(ctx context.Context, tx pgx.Tx, accountID uuid.UUID, event string) ([]uuid.UUID, error) {
	ids, err := dbsqlc.New(tx).HooksWanting(ctx, dbsqlc.HooksWantingParams{AccountID: accountID, Event: event})
	if err != nil {
		return nil, fmt.Errorf("find hooks: %w", err)
	}
	return ids, nil
}

var errNotFound = problem.New(problem.NotFound, "There is no such hook.")

func fromRow(row dbsqlc.GetHookRow) Hook {
	return Hook{
		ID: row.ID, URL: row.Url, Description: row.Description, Events: row.Events, Active: row.Active,
		DisabledReason: row.DisabledReason, LastError: row.LastError,
		LastSuccessAt: utc(row.LastSuccessAt), LastFailureAt: utc(row.LastFailureAt), Pending: row.Pending,
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(),
	}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(t.UTC())
}

// A place in the list is the id of the last hook before it; opaque to clients.
func place(id uuid.UUID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

func readPlace(after string) (*uuid.UUID, error) {
	if after == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(after)
	if err != nil || len(raw) != len(uuid.UUID{}) {
		return nil, problem.New(problem.InvalidCursor, "The position is not one of the list of hooks; take it from next.")
	}
	id := uuid.UUID(raw)
	return &id, nil
}
