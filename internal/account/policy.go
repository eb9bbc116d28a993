package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/problem"
)

// The errors of a sign-in, and of a request whose sign-in is no longer valid.
var (
	ErrCredentials  = problem.New(problem.Unauthenticated, "The e-mail address or the password is wrong.")
	ErrSessionEnded = problem.New(problem.Unauthenticated, "The session has ended; sign in again.")

	errNoActor = problem.New(problem.Unauthenticated,
		"Send an access token as Authorization: Bearer ict_…, or sign in with HTTP Basic, your e-mail address and "+
			"password, or on the page /login.")
)

// Authorize returns the actor of ctx if it has api.access and all the permissions. Errors: UNAUTHENTICATED, FORBIDDEN.
func Authorize(ctx context.Context, need ...Permission) (Actor, error) {
	a, ok := ActorFrom(ctx)
	if !ok {
		return Actor{}, errNoActor
	}
	if !a.Permissions.Has(APIAccess) {
		return Actor{}, a.errLacks(APIAccess)
	}
	for _, p := range need {
		if !a.Permissions.Has(p) {
			return Actor{}, a.errLacks(p)
		}
	}
	return a, nil
}

func (a Actor) errLacks(p Permission) error {
	advice := "Ask an administrator to grant it."
	if a.Token != nil {
		advice = "Use a token that has it."
	}
	return problem.New(problem.Forbidden, "%s lacks the permission %s. %s", a.Holder(), p, advice)
}

// Holder names what has the actor's permissions, as the subject of a sentence.
func (a Actor) Holder() string {
	if a.Token != nil {
		return "The access token, or the role of its user,"
	}
	return "Your role"
}

// RefuseToken returns FORBIDDEN for an actor who came with an access token; act names what the actor wants to do, such
// as "set a password". It guards what would outlive the token: passwords, sessions and other tokens.
func RefuseToken(a Actor, act string) error {
	if a.Token == nil {
		return nil
	}
	return problem.New(problem.Forbidden, "An access token cannot %s. Sign in with a password.", act)
}

// Reauthorize is Authorize with the actor's permissions as tx reads them. A write calls it, because the user may have
// lost permissions, or the session or the access token may have ended, while the request's body arrived or the
// transaction waited. Errors: as Authorize; UNAVAILABLE when the access token has another filter now.
func Reauthorize(ctx context.Context, tx pgx.Tx, need ...Permission) (Actor, error) {
	actor, err := Authorize(ctx, need...)
	switch {
	case err != nil || actor.UserID == uuid.Nil:
		return actor, err
	case actor.Token != nil:
		return reauthorizeToken(ctx, tx, actor, need)
	}
	row, err := store.New(tx).ActorNow(ctx, store.ActorNowParams{AccountID: actor.AccountID, ID: actor.UserID,
		SessionID: actor.sessionParam()})
	over := errors.Is(err, pgx.ErrNoRows)
	if err != nil && !over {
		return Actor{}, fmt.Errorf("read the actor: %w", err)
	}
	now := ActorOf(store.UserByEmailRow(row))
	switch over = over || now.Proof.Credentials != actor.Proof.Credentials; {
	case over && actor.SessionID != uuid.Nil:
		return Actor{}, ErrSessionEnded
	case over:
		return Actor{}, ErrCredentials
	}
	now.SessionID = actor.SessionID
	return Authorize(WithActor(ctx, now), need...)
}
