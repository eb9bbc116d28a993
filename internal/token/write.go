package token

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/jsonobject"
	"itemcast/internal/problem"
	"itemcast/internal/revision"
	"itemcast/internal/token/internal/store"
)

// Create makes a token from the JSON of its Settings and, as user_id, the user for whom it acts; by default the actor.
// The secret is returned only here. A token for another user needs users.manage, and every permission of that user.
// Errors: INVALID_INPUT and RULE_VIOLATED with every fault; FORBIDDEN, also for an actor who came with a token;
// CONFLICT when the user has 100 tokens.
func (s *Service) Create(ctx context.Context, input []byte) (t Token, shown string, err error) {
	actor, err := authorizeInPerson(ctx)
	if err != nil {
		return Token{}, "", err
	}
	wanted, err := Settings{RequestsPerMinute: DefaultRate}.patched(input)
	if err != nil {
		return Token{}, "", err
	}
	user, err := userOf(input, actor)
	if err != nil {
		return Token{}, "", err
	}
	id := uuid.Must(uuid.NewV7())
	shown, digest := secret.New()
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		if user != actor.UserID && !actor.Permissions.Has(account.UsersManage) {
			return errOthers
		}
		if err := q.LockUser(ctx, store.LockUserParams{AccountID: actor.AccountID, ID: user}); err != nil {
			return fmt.Errorf("lock the token's user: %w", err)
		}
		owner, err := readOwner(ctx, q, actor, user)
		if err != nil {
			return err
		}
		settings, err := wanted.checked(ctx, s.pool, actor.AccountID, owner, Settings{})
		if err != nil {
			return err
		}
		if err := insert(ctx, q, actor, id, user, settings, digest); err != nil {
			return err
		}
		if t, err = get(ctx, q, actor, id); err != nil {
			return err
		}
		return audit(ctx, tx, tokenCreated, id, created(t))
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, shown, nil
}

var errOthers = problem.New(problem.Forbidden,
	"A token for another user needs the permission users.manage. Leave out user_id for a token of your own.")

// userOf returns the user for whom a new token acts. Errors: INVALID_INPUT; RULE_VIOLATED when the operator names none.
func userOf(input []byte, actor account.Actor) (uuid.UUID, error) {
	var given struct {
		UserID *uuid.UUID `json:"user_id"`
	}
	switch err := json.Unmarshal(input, &given); {
	case err != nil:
		return uuid.Nil, errSettings()
	case given.UserID != nil:
		return *given.UserID, nil
	case actor.UserID == uuid.Nil:
		return uuid.Nil, problem.Invalid(problem.RuleViolated,
			problem.Fault{Pointer: "#/user_id", Detail: "must name a user, because the operator is none"})
	}
	return actor.UserID, nil
}

func insert(ctx context.Context, q *store.Queries, actor account.Actor, id, user uuid.UUID, s Settings,
	digest secret.Digest) error {
	filter, err := s.encodedFilter()
	if err != nil {
		return err
	}
	inserted, err := q.InsertToken(ctx, store.InsertTokenParams{MaxTokens: maxPerUser, ID: id,
		AccountID: actor.AccountID, UserID: user, Name: s.Name, Permissions: s.Permissions, Filter: filter,
		Origins: s.Origins, RequestsPerMinute: s.RequestsPerMinute, Digest: digest[:], ExpiresAt: s.ExpiresAt,
		CreatedBy: actor.UserParam()})
	if err != nil {
		return fmt.Errorf("insert token: %w", err)
	}
	if inserted == 0 {
		return problem.New(problem.Conflict, "A user can have %d tokens, expired ones included. Revoke one first.",
			maxPerUser)
	}
	return nil
}

// Patch applies a merge patch (RFC 7396) to a token's settings. Objects named in replaced are set as a whole. What is
// open with the token ends or continues by the new settings within a second. A patch that changes nothing writes
// nothing. Errors: NOT_FOUND, REVISION_MISMATCH, and those of Create.
func (s *Service) Patch(ctx context.Context, id uuid.UUID, patch []byte, condition revision.Condition,
	replaced ...string) (t Token, err error) {
	if _, err := authorizeInPerson(ctx); err != nil {
		return Token{}, err
	}
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		before, owner, err := lock(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		after, err := before.patched(patch, replaced...)
		if err != nil {
			return err
		}
		if after, err = after.checked(ctx, s.pool, actor.AccountID, owner, before.Settings); err != nil {
			return err
		}
		changed, err := jsonobject.Difference(before.Settings, after)
		if err != nil {
			return err
		}
		if t = before; len(changed) == 0 {
			return nil
		}
		if err := update(ctx, q, actor, id, after); err != nil {
			return err
		}
		if t, err = get(ctx, q, actor, id); err != nil {
			return err
		}
		return audit(ctx, tx, tokenUpdated, id, changed)
	})
	return t, err
}

func update(ctx context.Context, q *store.Queries, actor account.Actor, id uuid.UUID, s Settings) error {
	filter, err := s.encodedFilter()
	if err != nil {
		return err
	}
	err = q.UpdateToken(ctx, store.UpdateTokenParams{AccountID: actor.AccountID, ID: id, Name: s.Name,
		Permissions: s.Permissions, Filter: filter, Origins: s.Origins, RequestsPerMinute: s.RequestsPerMinute,
		ExpiresAt: s.ExpiresAt})
	if err != nil {
		return fmt.Errorf("update token: %w", err)
	}
	return nil
}

// Revoke deletes a token. What is open with it ends within a second. Errors: NOT_FOUND; REVISION_MISMATCH; FORBIDDEN
// when it is another user's, and the actor lacks one of that user's permissions.
func (s *Service) Revoke(ctx context.Context, id uuid.UUID, condition revision.Condition) error {
	if _, err := authorize(ctx); err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx pgx.Tx, q *store.Queries, actor account.Actor) error {
		token, _, err := lock(ctx, q, actor, id, condition)
		if err != nil {
			return err
		}
		if err := q.RevokeToken(ctx, store.RevokeTokenParams{AccountID: actor.AccountID, ID: id}); err != nil {
			return fmt.Errorf("revoke token: %w", err)
		}
		return audit(ctx, tx, tokenRevoked, id, map[string]any{"name": token.Name, "user": token.User})
	})
}
