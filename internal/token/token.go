package token

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/db"
	"itemcast/internal/page"
	"itemcast/internal/token/internal/store"
)

// Token is an access token with its settings. Its secret is not part of it.
type Token struct {
	ID     uuid.UUID
	UserID uuid.UUID // for whom it acts
	User   string    // the user's e-mail address
	Settings
	OldSecretUntil  *time.Time // the secret before the last rotation works until then; nil: it does not
	LastUsedOn      string     // the day of the last request, "2026-01-31" in UTC; "" for never
	LastUsedFrom    string     // the address of the client at that request
	RequestsLastDay int64
	CreatedBy       *uuid.UUID // nil: the operator
	CreatedAt       time.Time
	UpdatedAt       time.Time
	Revision        int64 // raised by each change to the settings or the secret
}

// PageToken returns the page token of the token's place in the list of tokens.
func (t Token) PageToken() string { return page.Token("tokens", t.ID) }

// List returns up to limit tokens of the actor, newest first, that follow a page token; "" stands for the start of the
// list. Next is the page token of the following page, or "". With users.manage it returns those of all users, or of the
// given one. Error: INVALID_PAGE_TOKEN.
func (s *Service) List(ctx context.Context, user *uuid.UUID, limit int, after string) (tokens []Token, next string,
	err error) {
	actor, err := authorize(ctx)
	if err != nil {
		return nil, "", err
	}
	before, err := page.ReadID(after, "tokens")
	if err != nil {
		return nil, "", err
	}
	if own := whose(actor); own != nil {
		if user != nil && *user != *own {
			return nil, "", nil
		}
		user = own
	}
	rows, err := store.New(db.Read(ctx, s.pool)).ListTokens(ctx, store.ListTokensParams{AccountID: actor.AccountID,
		UserID: user, BeforeID: before, MaxRows: int32(limit + 1)})
	if err != nil {
		return nil, "", fmt.Errorf("list tokens: %w", err)
	}
	rows, next = page.Cut(rows, limit, func(row store.ListTokensRow) string { return Token{ID: row.ID}.PageToken() })
	tokens = make([]Token, len(rows))
	for i, row := range rows {
		if tokens[i], err = fromRow(store.GetTokenRow(row)); err != nil {
			return nil, "", err
		}
	}
	return tokens, next, nil
}

// Get returns a token. Error: NOT_FOUND, also for another user's token without users.manage.
func (s *Service) Get(ctx context.Context, id uuid.UUID) (Token, error) {
	actor, err := authorize(ctx)
	if err != nil {
		return Token{}, err
	}
	return get(ctx, store.New(db.Read(ctx, s.pool)), actor, id)
}
