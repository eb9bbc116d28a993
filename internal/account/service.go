package account

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"itemcast/internal/account/internal/store"
	"itemcast/internal/db"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

// Service keeps an account's users, roles and sessions. Its methods may be called concurrently; each authorizes the context's actor first.
//
// Two rules hold whatever is asked, and of all that happens at once: somebody is left who can give others access, and nobody gives,
// changes or takes permissions that they do not have themselves, which goes for users who have them, too.
type Service struct {
	pool           *pgxpool.Pool
	log            *slog.Logger
	publicURL      string
	auditRetention time.Duration
}

// Config is what NewService needs.
type Config struct {
	Pool           *pgxpool.Pool
	Log            *slog.Logger
	PublicURL      string        // the base of reset links, without a trailing slash
	AuditRetention time.Duration // the age at which RunAuditRetention deletes an entry; 0: never
}

// NewService returns a Service on the database of config.
func NewService(config Config) *Service {
	return &Service{pool: config.Pool, log: config.Log, publicURL: config.PublicURL, auditRetention: config.AuditRetention}
}

// change runs fn in a transaction in which nobody else changes the account's users and roles, with what the actor may do by then: whoever
// was an administrator when the request began may be none any more. It is undone when it leaves no administrator. Errors: UNAUTHENTICATED,
// FORBIDDEN, CONFLICT.
func (s *Service) change(ctx context.Context, actor Actor, fn func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor Actor) error) error {
	return db.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		q := store.New(tx)
		if err := store.New(db.Deferred(tx)).LockAccess(ctx, actor.AccountID); err != nil {
			return fmt.Errorf("lock access: %w", err)
		}
		actor, err := Reauthorize(ctx, tx, UsersManage)
		if err != nil {
			return err
		}
		if err := fn(ctx, tx, q, actor); err != nil {
			return err
		}
		left, err := administrated(ctx, q, actor.AccountID, nil)
		if err == nil && !left {
			err = problem.New(problem.Conflict, "Then nobody would be left who can give others access: somebody active needs a password, and "+
				"a role with api.access and users.manage.")
		}
		return err
	})
}

// administrated reports whether somebody is there who can give others access, and these permissions.
func administrated(ctx context.Context, q *store.Queries, account uuid.UUID, permissions []string) (bool, error) {
	n, err := q.Administrators(ctx, store.AdministratorsParams{AccountID: account, Permissions: permissions})
	if err != nil {
		return false, fmt.Errorf("count administrators: %w", err)
	}
	return n > 0, nil
}

// replaceable refuses to let an administrator go whose equal is not left: nobody could bring that user back, nor give what the user could.
// The operator can.
func replaceable(ctx context.Context, q *store.Queries, actor Actor, gone User) error {
	if actor.UserID == uuid.Nil || !gone.Active || !slices.Contains(gone.Permissions, string(UsersManage)) {
		return nil
	}
	left, err := administrated(ctx, q, actor.AccountID, gone.Permissions)
	if err == nil && !left {
		err = problem.New(problem.Conflict, "Then nobody would be left who manages users and has all that %s has, and nobody could undo it. Give "+
			"somebody else such a role before; at the machine, itemcast user does it nevertheless.", gone.Email)
	}
	return err
}

func emailFault(email string) string {
	if !anEmail.MatchString(email) || len(email) > 320 || validate.Storable(email) != "" || strings.ContainsFunc(email, isNotOfAnEmail) {
		return "must be an e-mail address of at most 320 characters, without colons or invisible characters"
	}
	return ""
}

// isNotOfAnEmail reports invisible characters. An address, unlike a name, has no joiners either.
func isNotOfAnEmail(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }

// HTTP Basic splits at the first colon (RFC 7617 §2).
var anEmail = regexp.MustCompile(`^[^\s:@]+@[^\s:@]+$`)

func userPath(id uuid.UUID) string { return "users/" + id.String() }
func rolePath(id uuid.UUID) string { return "roles/" + id.String() }
