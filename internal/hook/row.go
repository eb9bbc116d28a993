package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/hook/internal/store"
	"itemcast/internal/item"
	"itemcast/internal/optional"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
)

var errNotFound = problem.New(problem.NotFound, "There is no such hook.")

// notFoundOr returns NOT_FOUND when a statement has found no row, and else its error.
func notFoundOr(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return errNotFound
	}
	return err
}

func get(ctx context.Context, q *store.Queries, accountID, id uuid.UUID) (Hook, error) {
	row, err := q.GetHook(ctx, store.GetHookParams{AccountID: accountID, ID: id})
	if err != nil {
		return Hook{}, notFoundOr(fmt.Errorf("read hook: %w", err))
	}
	return fromRow(row)
}

// lock locks a hook until the transaction ends, and returns its settings with the values of the headers. Errors:
// NOT_FOUND, REVISION_MISMATCH.
func lock(
	ctx context.Context, q *store.Queries, accountID, id uuid.UUID, condition revision.Condition,
) (Settings, error) {
	row, err := q.HookForUpdate(ctx, store.HookForUpdateParams{AccountID: accountID, ID: id})
	if err != nil {
		return Settings{}, notFoundOr(fmt.Errorf("lock hook: %w", err))
	}
	if err := condition.Check(row.Revision); err != nil {
		return Settings{}, err
	}
	return settingsOf(store.GetHookRow{
		Url: row.Url, Description: row.Description, Events: row.Events, Filter: row.Filter,
		ChangedFields: row.ChangedFields, Headers: row.Headers, Body: row.Body, RateLimit: row.RateLimit,
		MaxInFlight: row.MaxInFlight, Active: row.Active,
	})
}

func fromRow(row store.GetHookRow) (Hook, error) {
	settings, err := settingsOf(row)
	if err != nil {
		return Hook{}, err
	}
	h := Hook{
		ID: row.ID, Settings: settings.masked(), DisabledReason: row.DisabledReason, LastError: row.LastError,
		FailingSince: utc(row.FailingSince), LastSuccessAt: utc(row.LastSuccessAt),
		LastFailureAt: utc(row.LastFailureAt), Pending: row.Pending, Revision: row.Revision,
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(),
	}
	if row.OldSecretUntil != nil && row.OldSecretUntil.After(time.Now()) {
		h.OldSecretUntil = utc(row.OldSecretUntil)
	}
	return h, nil
}

// settingsOf returns a row's settings, with the values of the headers.
func settingsOf(row store.GetHookRow) (Settings, error) {
	s := Settings{
		URL: row.Url, Description: row.Description, Events: row.Events, ChangedFields: row.ChangedFields,
		Body:      row.Body,
		RateLimit: row.RateLimit, MaxInFlight: row.MaxInFlight, Active: row.Active,
	}
	var err error
	if s.Filter, err = item.ParseFilter(row.Filter); err != nil {
		return s, err
	}
	s.Headers, err = decodeHeaders(row.Headers)
	return s, err
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

func utc(t *time.Time) *time.Time { return optional.Map(t, time.Time.UTC) }
