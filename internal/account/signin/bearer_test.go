package signin

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/problem"
)

// insertToken inserts an access token of the administrator that may view items.
func (b *bundle) insertToken() (id uuid.UUID, made string) {
	b.t.Helper()
	made, digest := secret.New()
	id = uuid.Must(uuid.NewV7())
	b.exec(`INSERT INTO access_token (id, account_id, user_id, name, permissions, digest)
		SELECT $1, account_id, id, 'a test', '{items.view}', $2 FROM app_user LIMIT 1`, id, digest[:])
	b.awaitNotifications()
	return id, made
}

// awaitNotifications returns when the service has handled what has been notified so far. A late notification, even of an
// insertion, would make it forget what the test has just made it remember.
func (b *bundle) awaitNotifications() {
	b.t.Helper()
	forgotten := func() int {
		b.service.cache.mu.Lock()
		defer b.service.cache.mu.Unlock()
		return b.service.cache.everybody
	}
	before := forgotten()
	b.exec("SELECT pg_notify('itemcast_access', '')")
	b.until("the service to forget everybody", func() bool { return forgotten() > before })
}

func (b *bundle) bearer(made string) account.Actor {
	b.t.Helper()
	actor, err := b.service.Bearer(b.t.Context(), made)
	if err != nil {
		b.t.Fatal(err)
	}
	return actor
}

func TestBearer_IsTheTokensUserWithThePermissionsOfBoth(t *testing.T) {
	b := setup(t)
	id, made := b.insertToken()
	actor := b.bearer(made)
	if want := (account.Permissions{account.APIAccess, account.ItemsView}); actor.UserID != b.signIn().UserID ||
		actor.Token == nil || actor.Token.ID != id || len(actor.Permissions) != 2 ||
		!actor.Permissions.Has(want[0]) || !actor.Permissions.Has(want[1]) || actor.Token.PerMinute != 600 {
		t.Errorf("got %+v %+v", actor, actor.Token)
	}
}

func TestBearer_CachedSecretsCostNoStatement(t *testing.T) {
	b := setup(t)
	_, made := b.insertToken()
	revoked, revokedSecret := b.insertToken()
	b.exec("DELETE FROM access_token WHERE id = $1", revoked)
	b.awaitNotifications()
	b.bearer(made)
	_, _ = b.service.Bearer(t.Context(), revokedSecret)
	before := b.sent.bearers.Load()
	for range 1000 {
		actor := b.bearer(made)
		if _, err := b.service.Spend(t.Context(), actor); err != nil && !problem.Is(err, problem.TooManyRequests) {
			t.Fatal(err)
		}
		if _, err := b.service.Bearer(t.Context(), revokedSecret); !problem.Is(err, problem.Unauthenticated) {
			t.Fatalf("the revoked secret: %v", err)
		}
	}
	if sent := b.sent.bearers.Load() - before; sent > 0 {
		t.Errorf("a thousand sign-ins sent %d statements", sent)
	}
}

func TestBearer_AChangeOfATokenCostsOthersNothing(t *testing.T) {
	b := setup(t)
	one, oneSecret := b.insertToken()
	_, other := b.insertToken()
	b.bearer(oneSecret)
	b.bearer(other)
	b.signIn()
	b.exec("UPDATE access_token SET permissions = '{}' WHERE id = $1", one)
	b.until("the token to be forgotten", func() bool {
		return !b.bearer(oneSecret).Permissions.Has(account.ItemsView)
	})
	before := b.sent.bearers.Load()
	b.bearer(other)
	if sent := b.sent.bearers.Load() - before; sent > 0 || !b.service.caches(email, adminPassword) {
		t.Errorf("others are read again: %d look-ups", sent)
	}
	for range maxChangedUsers {
		b.service.forgetToken(uuid.New())
	}
	if n := len(b.service.cache.changed); n >= maxChangedUsers {
		t.Errorf("%d changed tokens are stored", n)
	}
}

// A stranger cannot make the server ask its database without end. A client with a valid token is not refused.
func TestBearer_UnknownSecretsFromAnAddressAreThrottled(t *testing.T) {
	b := setup(t)
	_, made := b.insertToken()
	ctx := account.WithAddress(t.Context(), "203.0.113.7")
	if _, err := b.service.Bearer(ctx, made); err != nil {
		t.Fatal(err)
	}
	var err error
	for range tokenBudget.burst + 5 {
		unknown, _ := secret.New()
		_, err = b.service.Bearer(ctx, unknown)
	}
	if !problem.Is(err, problem.TooManyRequests) {
		t.Errorf("after many unknown secrets: %v", err)
	}
	b.service.forgetEverybody()
	if _, err := b.service.Bearer(ctx, made); err != nil {
		t.Errorf("the owner of a token is refused: %v", err)
	}
	if _, err := b.service.Basic(ctx, email, adminPassword); err != nil {
		t.Errorf("a password is refused: %v", err)
	}
}

func TestSpend_RegainsRequestsEvenly(t *testing.T) {
	t.Parallel()
	m := newMeters()
	now := time.Now()
	m.now = func() time.Time { return now }
	token := &account.Token{ID: uuid.New(), PerMinute: 60}
	for i := range 60 {
		if quota, err := m.spend(token, ""); err != nil || quota.Remaining != 59-i {
			t.Fatalf("request %d: %+v %v", i, quota, err)
		}
	}
	if quota, err := m.spend(token, ""); !problem.Is(err, problem.TooManyRequests) ||
		problem.Of(err).RetryAfter != time.Second || quota.Remaining != 0 || quota.More != time.Second {
		t.Errorf("over the limit: %+v %v", quota, err)
	}
	now = now.Add(2 * time.Second)
	if quota, err := m.spend(token, ""); err != nil || quota.Remaining != 1 {
		t.Errorf("two seconds later: %+v %v", quota, err)
	}
	token = &account.Token{ID: token.ID, PerMinute: 600} // what it has left stays
	now = now.Add(time.Minute)
	if quota, err := m.spend(token, ""); err != nil || quota.Remaining != 59 || quota.PerMinute != 600 {
		t.Errorf("with another limit: %+v %v", quota, err)
	}
	m.take()
	now = now.Add(meterMemory + time.Second)
	if m.take(); len(m.all) > 0 {
		t.Errorf("%d unused meters stay", len(m.all))
	}
}

func TestUse_WhatCannotBeRecordedIsRecordedLater(t *testing.T) {
	b := setup(t)
	id, made := b.insertToken()
	actor := b.bearer(made)
	ctx := account.WithAddress(t.Context(), "203.0.113.7")
	for range 3 {
		if _, err := b.service.Spend(ctx, actor); err != nil {
			t.Fatal(err)
		}
	}
	used := b.service.meters.take()
	b.service.meters.putBack(used)
	if _, err := b.service.Spend(ctx, actor); err != nil {
		t.Fatal(err)
	}
	b.service.recordUse(t.Context())
	_, _ = b.service.Spend(ctx, actor)
	b.service.recordUse(t.Context())
	var requests int
	var address string
	if err := b.pool.QueryRow(t.Context(), "SELECT sum(requests), max(address) FROM access_token_use WHERE token_id = $1",
		id).Scan(&requests, &address); err != nil || requests != 5 || address != "203.0.113.7" {
		t.Errorf("%d requests from %q are recorded: %v", requests, address, err)
	}
	b.exec("DELETE FROM access_token")
	_, _ = b.service.Spend(ctx, actor)
	b.service.recordUse(t.Context())
	b.until("nothing of a revoked token waits", func() bool { return len(b.service.meters.take().TokenIds) == 0 })
}
