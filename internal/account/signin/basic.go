package signin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/account/internal/store"
	"itemcast/internal/account/password"
	"itemcast/internal/account/secret"
	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

const maxEmail = 320 // bytes

// errSecretAsPassword answers a client that sends an access token as the name or the password of HTTP Basic, as some
// other APIs take it.
var errSecretAsPassword = problem.New(problem.Unauthenticated,
	"This is an access token, not a password. Send the header Authorization: Bearer, a space, and the token.")

// How a user signs in, as the audit log names it.
const (
	byBasic  = "basic"
	byPage   = "page"
	byChange = "password change" // verifies the current password like a sign-in
)

// credentials are an address and a password, and the way in which a client uses them.
type credentials struct {
	email, password string
	digest          digest
	by              string
}

func (s *Service) credentials(email, password, by string) credentials {
	email = plaintext.Composed(email)
	given := credentials{email: email, password: password, by: by}
	mac := hmac.New(sha256.New, s.key)
	_, _ = fmt.Fprintf(mac, "%d:%s%s", len(email), email, password)
	mac.Sum(given.digest[:0])
	return given
}

// Basic returns the user of an e-mail address and a password. Errors: UNAUTHENTICATED, the same for an unknown
// address, a wrong password and an inactive user; TOO_MANY_REQUESTS after too many failures, and while too many others
// sign in.
func (s *Service) Basic(ctx context.Context, email, password string) (account.Actor, error) {
	given := s.credentials(email, password, byBasic)
	actor, generation, ok := s.cache.get(s.cache.basic, given.digest)
	if ok {
		return actor, nil
	}
	return s.checkOnce(ctx, given, generation)
}

// checkOnce shares one check among concurrent requests with the same credentials. They occur when a user changes: each
// of the user's streams then signs in again.
func (s *Service) checkOnce(ctx context.Context, given credentials, generation int) (account.Actor, error) {
	key := fmt.Sprintf("%d %s %s", generation, given.by, given.digest[:])
	checked := s.inFlight.DoChan(key, func() (any, error) {
		actor, err := s.check(context.WithoutCancel(ctx), given, generation) // others may wait for it when ctx has ended
		if err != nil {
			return account.Actor{}, err
		}
		s.cache.add(s.cache.basic, given.digest, actor)
		return actor, nil
	})
	select {
	case <-ctx.Done():
		return account.Actor{}, ctx.Err()
	case result := <-checked:
		return result.Val.(account.Actor), result.Err
	}
}

// check verifies credentials: against the throttle, the database and argon2id, in this order.
func (s *Service) check(ctx context.Context, given credentials, generation int) (account.Actor, error) {
	if _, is := secret.Parse(given.password); is || isSecret(given.email) {
		return account.Actor{}, errSecretAsPassword // before anything is logged
	}
	// No user has an address that a text column of Postgres cannot hold, and a statement with it would fail.
	if len(given.email) > maxEmail || len(given.password) > password.MaxBytes || validate.Storable(given.email) != "" {
		return account.Actor{}, account.ErrCredentials
	}
	attempt, first, err := s.throttle.begin(given.email, account.AddressFrom(ctx), given.digest)
	if err != nil {
		if first {
			s.auditRefusal(ctx, given)
		}
		return account.Actor{}, err
	}
	user, flaw, err := s.compare(ctx, given)
	switch {
	case err != nil:
		attempt.undo()
		return account.Actor{}, err
	case flaw != "":
		attempt.fail()
		s.audit.add(ctx, user, signInFailed, map[string]string{"by": given.by, "why": flaw})
		return account.Actor{}, account.ErrCredentials
	}
	if newPlace := attempt.succeed(); newPlace && given.by == byBasic {
		s.audit.add(ctx, user, signedIn, map[string]string{"by": given.by})
	}
	actor := account.ActorOf(user)
	actor.Proof.Generation = generation
	return actor, nil
}

// isSecret reports whether a text in place of an address is the secret of an access token, complete or not.
func isSecret(text string) bool {
	return strings.HasPrefix(strings.TrimSpace(text), secret.Prefix) && !strings.Contains(text, "@")
}

// compare returns the user of an address, and why the credentials are wrong; "" when they are right. It always takes
// the same time, so that the time does not reveal which addresses exist.
func (s *Service) compare(ctx context.Context, given credentials) (user store.UserByEmailRow, flaw string, err error) {
	user, err = store.New(s.pool).UserByEmail(ctx, given.email)
	unknown := errors.Is(err, pgx.ErrNoRows)
	if err != nil && !unknown {
		return user, "", fmt.Errorf("find the user: %w", err)
	}
	match, err := s.verify(ctx, given.password, user.PasswordHash)
	switch {
	case err != nil:
		return user, "", fmt.Errorf("verify the password: %w", err)
	case unknown:
		s.log.Info("a sign-in failed: there is no such user", "email", given.email, "address", account.AddressFrom(ctx))
		return user, "unknown", nil
	case user.PasswordHash == "":
		return user, "no password is set", nil
	case !match:
		return user, "wrong password", nil
	case !user.Active:
		return user, "disabled", nil
	}
	return user, "", nil
}

// auditRefusal records that the throttle refuses sign-ins of a user. It works in the background, because the time of
// the response must not depend on whether the user exists.
func (s *Service) auditRefusal(ctx context.Context, given credentials) {
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statementTimeout)
		defer cancel()
		if user, err := store.New(s.pool).UserByEmail(ctx, given.email); err == nil {
			s.audit.add(ctx, user, signInThrottled, map[string]string{"by": given.by})
		}
	}()
}
