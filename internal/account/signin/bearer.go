package signin

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
)

// Bearer returns the actor of an access token's secret: the token's user, with the permissions that both have. The
// caller checks the token's origins, and counts the request (Spend). Errors: UNAUTHENTICATED; TOO_MANY_REQUESTS after
// too many unknown secrets from the client's address.
func (s *Service) Bearer(ctx context.Context, given string) (account.Actor, error) {
	found, err := s.bearer(ctx, given)
	if err != nil {
		return account.Actor{}, err
	}
	if found.Refusal != nil {
		s.refusedTokens.Add(1)
		return account.Actor{}, found.Refusal
	}
	return found.Actor, nil
}

func (s *Service) bearer(ctx context.Context, given string) (account.Bearer, error) {
	unknown := account.Bearer{Refusal: account.ErrToken}
	if len(given) != secret.Length {
		return unknown, nil
	}
	key := digest(sha256.Sum256([]byte(given)))
	found, generation, ok := s.cache.bearer(key, time.Now())
	if ok {
		return found, nil
	}
	if _, ours := secret.Parse(given); !ours {
		return unknown, nil
	}
	read := s.inFlight.DoChan(fmt.Sprintf("token %d %s", generation, key[:]), func() (any, error) {
		return s.readBearer(context.WithoutCancel(ctx), key, generation)
	})
	select {
	case <-ctx.Done():
		return account.Bearer{}, ctx.Err()
	case result := <-read:
		return result.Val.(account.Bearer), result.Err
	}
}

// readBearer looks a secret up. The cache keeps refusals too, so that a client that goes on with a revoked token costs
// no statement. Error: TOO_MANY_REQUESTS, and the database's.
func (s *Service) readBearer(ctx context.Context, key digest, generation int) (account.Bearer, error) {
	attempt, err := s.throttle.beginToken(account.AddressFrom(ctx), key)
	if err != nil {
		return account.Bearer{}, err
	}
	bearers, err := account.Bearers(ctx, s.pool, []secret.Digest{secret.Digest(key)})
	if err != nil {
		attempt.undo()
		return account.Bearer{}, err
	}
	found, known := bearers[secret.Digest(key)]
	if known {
		attempt.found()
	} else {
		attempt.fail()
		found.Refusal = account.ErrToken
	}
	found.Actor.Proof.Generation = generation
	s.cache.addBearer(key, found)
	return found, nil
}
