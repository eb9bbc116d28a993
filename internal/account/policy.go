// Package account knows who may do what: accounts, users, roles, permissions, passwords, and the one policy.
//
// It promises that nothing is done by nobody: every service method calls Authorize in its first line, and without an actor in the context
// that is an error. It must not know HTTP beyond the text of a credential, nor any noun that it protects.
package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/problem"
)

// Permission is one thing that a role allows.
type Permission string

// The permissions. Without APIAccess none of the others counts.
const (
	APIAccess       Permission = "api.access"
	ItemsView       Permission = "items.view"
	ItemsCreate     Permission = "items.create"
	ItemsEdit       Permission = "items.edit"
	ItemsDelete     Permission = "items.delete"
	ItemsPublish    Permission = "items.publish"
	WorkflowsManage Permission = "workflows.manage"
	WorkflowsAct    Permission = "workflows.act"
	HooksManage     Permission = "hooks.manage"
	UploadsManage   Permission = "uploads.manage"
	UsersManage     Permission = "users.manage"
	WebinarsManage  Permission = "webinars.manage"
	LearningManage  Permission = "learning.manage"
)

// Permissions is a role's set; small, so a slice.
type Permissions []Permission

// All returns every permission there is: what the administrator's role has.
func All() Permissions {
	return Permissions{APIAccess, ItemsView, ItemsCreate, ItemsEdit, ItemsDelete, ItemsPublish, WorkflowsManage, WorkflowsAct, HooksManage,
		UploadsManage, UsersManage, WebinarsManage, LearningManage}
}

// Has reports whether p is in the set.
func (ps Permissions) Has(p Permission) bool { return slices.Contains(ps, p) }

// Strings returns the set as it is stored and shown.
func (ps Permissions) Strings() []string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = string(p)
	}
	return out
}

// Actor is who does something: a user of an account, or the operator at the machine (UserID is then uuid.Nil).
type Actor struct {
	AccountID   uuid.UUID
	UserID      uuid.UUID
	Email       string
	Name        string
	RoleID      uuid.UUID // uuid.Nil: the operator's, from whom nothing is hidden
	Role        string
	Permissions Permissions
	Kind        string    // KindPerson or KindAPI; empty: the operator
	SessionID   uuid.UUID // of the browser that is signed in; uuid.Nil: by HTTP Basic
	Proof       Proof
}

// Proof is what an actor's identity rests on. Package signin sets it.
type Proof struct {
	Credentials [sha256.Size]byte // digest of the address and the password's hash: another one after a change of either
	Generation  int               // of signin's cache, before the user was read
	ExpiresAt   time.Time         // of the session; zero: never
}

// Visibility is equal for two actors if, and only if, both may see and do the same: what is rendered for one of them is right for the other.
func (a Actor) Visibility() string {
	return a.AccountID.String() + " " + a.RoleID.String() + " " + a.Role + " " + strings.Join(a.Permissions.Strings(), " ")
}

// User is the actor's user id as rows keep it: nil for the operator and the system.
func (a Actor) User() *uuid.UUID {
	if a.UserID == uuid.Nil {
		return nil
	}
	return &a.UserID
}

// ActorOf returns the actor of a user's row. It is for package signin, which shares this package's store.
func ActorOf(user store.UserByEmailRow) Actor {
	permissions := make(Permissions, len(user.Permissions))
	for i, p := range user.Permissions {
		permissions[i] = Permission(p)
	}
	return Actor{AccountID: user.AccountID, UserID: user.ID, Email: user.Email, Name: user.Name, RoleID: user.RoleID,
		Role: user.Role, Permissions: permissions, Kind: user.Kind,
		Proof: Proof{Credentials: CredentialsOf(user.Email, user.PasswordHash)}}
}

// CredentialsOf returns the digest of a user's address and stored hash. The hash is salted, so the digest reveals nothing of
// the password.
func CredentialsOf(email, passwordHash string) [sha256.Size]byte {
	return sha256.Sum256([]byte(email + " " + passwordHash))
}

// session is the actor's session as statements take it: nil without one.
func (a Actor) session() *uuid.UUID {
	if a.SessionID == uuid.Nil {
		return nil
	}
	return &a.SessionID
}

// RoleIn is the actor's role as statements take it that read what is hidden from roles: nil for the operator.
func (a Actor) RoleIn() *uuid.UUID {
	if a.RoleID == uuid.Nil {
		return nil
	}
	return &a.RoleID
}

// covers refuses to hand out, or to touch, permissions that the actor does not have. Error: FORBIDDEN.
func (a Actor) covers(permissions []string) error {
	for _, p := range permissions {
		if !a.Permissions.Has(Permission(p)) {
			return problem.New(problem.Forbidden, "You cannot give, change or take what you do not have: your role lacks the permission %s. One "+
				"that nobody has is given back at the machine: itemcast role grant ROLE %s.", p, p)
		}
	}
	return nil
}

// The errors of a sign-in, and of a request whose sign-in is no longer valid.
var (
	ErrCredentials  = problem.New(problem.Unauthenticated, "The e-mail address or the password is wrong.")
	ErrSessionEnded = problem.New(problem.Unauthenticated, "The session has ended; sign in again.")
)

type actorKey struct{}

// WithActor returns a context in which a acts.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// WithoutActor returns a context in which nobody acts.
func WithoutActor(ctx context.Context) context.Context {
	return context.WithValue(ctx, actorKey{}, nil)
}

// ActorFrom returns who acts in ctx, if anyone does.
func ActorFrom(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}

// Authorize returns who acts in ctx when that actor has every permission named, and api.access. Errors: UNAUTHENTICATED, FORBIDDEN.
func Authorize(ctx context.Context, need ...Permission) (Actor, error) {
	a, ok := ActorFrom(ctx)
	if !ok {
		return Actor{}, problem.New(problem.Unauthenticated, "Sign in with HTTP Basic, your e-mail address and password, or on the page /login.")
	}
	if err := a.mayUse(); err != nil {
		return Actor{}, err
	}
	for _, p := range need {
		if !a.Permissions.Has(p) {
			return Actor{}, forbidden(p)
		}
	}
	return a, nil
}

// Reauthorize is Authorize with what is true of the actor at this moment, for the transaction of a change: what let a request in may be over
// by the time that its body has come, or its turn. Errors: as Authorize.
func Reauthorize(ctx context.Context, tx pgx.Tx, need ...Permission) (Actor, error) {
	actor, err := Authorize(ctx, need...)
	if err != nil || actor.UserID == uuid.Nil {
		return actor, err
	}
	row, err := store.New(tx).ActorNow(ctx, store.ActorNowParams{AccountID: actor.AccountID, ID: actor.UserID, SessionID: actor.session()})
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

// mayUse is nil when the actor may use the API at all.
func (a Actor) mayUse() error {
	if !a.Permissions.Has(APIAccess) {
		return forbidden(APIAccess)
	}
	return nil
}

func forbidden(p Permission) error {
	return problem.New(problem.Forbidden, "Your role lacks the permission %s.", p)
}
