package account

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account/internal/store"
)

// Actor is the user on whose behalf a request runs, or the operator, whose UserID and RoleID are uuid.Nil.
type Actor struct {
	AccountID   uuid.UUID
	UserID      uuid.UUID
	Email       string
	Name        string
	RoleID      uuid.UUID
	Role        string
	Permissions Permissions
	Kind        string    // KindPerson or KindAPI; "" for the operator
	SessionID   uuid.UUID // of a signed-in browser; uuid.Nil with HTTP Basic
	Token       *Token    // nil: the user signed in with a password, or this is the operator
	Proof       Proof

	DefaultProfile *uuid.UUID // the user's default workflow profile; nil: none. See DefaultProfiles.
	AccountProfile *uuid.UUID // that of the account
}

// Token is the access token that an actor came with. It narrows what the token's user may do: the actor's Permissions
// are those that both have. Requests share it; do not modify it.
type Token struct {
	ID        uuid.UUID
	Name      string
	Filter    string    // canonical JSON of the filter of the items that the token shows; "": all items
	Origins   []string  // of the pages that may use the token; empty: any client but pages of other origins
	PerMinute int       // requests
	ExpiresAt time.Time // zero: never
}

// Proof records the credentials that identified an actor, and when. Package signin sets it.
type Proof struct {
	Credentials [sha256.Size]byte // see CredentialsOf; of an access token: the SHA-256 of its secret
	Generation  int               // of signin's cache, before the user was read
	ExpiresAt   time.Time         // of the session, or of the access token's secret; zero: never
}

// HasExpired reports whether the credentials are over at a time.
func (p Proof) HasExpired(now time.Time) bool {
	return !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)
}

// ActorOf returns the actor of a user's row. It is for package signin, which shares this package's store.
func ActorOf(user store.UserByEmailRow) Actor {
	permissions := make(Permissions, len(user.Permissions))
	for i, p := range user.Permissions {
		permissions[i] = Permission(p)
	}
	return Actor{AccountID: user.AccountID, UserID: user.ID, Email: user.Email, Name: user.Name, RoleID: user.RoleID,
		Role: user.Role, Permissions: permissions, Kind: user.Kind,
		DefaultProfile: user.DefaultWorkflowProfileID, AccountProfile: user.AccountDefaultProfileID,
		Proof: Proof{Credentials: CredentialsOf(user.Email, user.PasswordHash)}}
}

// CredentialsOf returns a digest of a user's address and password hash, which changes with either of them. The hash is
// salted, so the digest reveals nothing of the password.
func CredentialsOf(email, passwordHash string) [sha256.Size]byte {
	return sha256.Sum256([]byte(email + " " + passwordHash))
}

// Visibility returns a text that is equal for two actors if, and only if, both may see and do the same. A message
// rendered for one is then right for the other, whichever tokens they came with.
func (a Actor) Visibility() string {
	visibility := a.AccountID.String() + " " + a.RoleID.String() + " " + a.Role + " " +
		strings.Join(a.Permissions.Strings(), " ")
	if a.Token == nil || a.Token.Filter == "" {
		return visibility
	}
	return visibility + " " + a.Token.Filter
}

// ShownEmail returns the user's address as the actor itself may read it. It is empty with an access token: whoever has
// the token of a page must not learn who made it.
func (a Actor) ShownEmail() string {
	if a.Token != nil {
		return ""
	}
	return a.Email
}

// UserParam returns the user id for statements: nil for the operator.
func (a Actor) UserParam() *uuid.UUID { return param(a.UserID) }

// RoleParam returns the role id for statements that leave out hidden items: nil for the operator, who sees all.
func (a Actor) RoleParam() *uuid.UUID { return param(a.RoleID) }

func (a Actor) sessionParam() *uuid.UUID { return param(a.SessionID) }

func param(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// label is the actor's name in the audit log, which outlives the user.
func (a Actor) label() string {
	label := a.Name
	if a.Email != "" {
		label = a.Email
	}
	if a.Token != nil {
		label += " (access token " + a.Token.Name + ")"
	}
	return label
}

type actorKey struct{}

// WithActor returns a context with an actor.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// WithoutActor returns a context without an actor.
func WithoutActor(ctx context.Context) context.Context {
	return context.WithValue(ctx, actorKey{}, nil)
}

// ActorFrom returns the actor of ctx, if it has one.
func ActorFrom(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}
