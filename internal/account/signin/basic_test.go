package signin

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/account/secret"
	"itemcast/internal/problem"
)

func TestBasic_AcceptsTheRightPasswordOnly(t *testing.T) {
	b := setup(t)
	actor, err := b.service.Basic(t.Context(), "ADMIN@example.com", adminPassword)
	if err != nil || actor.Email != email || actor.Role != "Administrator" || !actor.Permissions.Has(account.UsersManage) {
		t.Errorf("got %+v, %v", actor, err)
	}
	for _, c := range [][2]string{{email, "wrong"}, {email, ""}, {"nobody@example.com", adminPassword}, {"", ""},
		{email, adminPassword + "\x00"}, {"a\x00b", "x"}} {
		if _, err := b.service.Basic(t.Context(), c[0], c[1]); !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("%q: got %v", c, err)
		}
	}
}

// Some APIs take a token as the name or the password of HTTP Basic, and so their clients send it.
func TestBasic_ASecretOfATokenIsNotLogged(t *testing.T) {
	b := setup(t)
	var log bytes.Buffer
	b.service.log = slog.New(slog.NewTextHandler(&log, nil))
	made, _ := secret.New()
	for _, c := range [][2]string{{made, ""}, {made[:20], ""}, {" " + made, "x"}, {email, made}} {
		if _, err := b.service.Basic(t.Context(), c[0], c[1]); !errors.Is(err, errSecretAsPassword) {
			t.Errorf("%q: got %v", c, err)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log has %s", log.String())
	}
}

func TestBasic_CachedCredentialsCostNoStatement(t *testing.T) {
	b := setup(t)
	b.signIn()
	before := b.sent.n.Load()
	for range 1000 {
		b.signIn()
	}
	if sent := b.sent.n.Load() - before; sent > 0 {
		t.Errorf("a thousand sign-ins sent %d statements", sent)
	}
}

func TestBasic_AChangeOfAUserCostsOthersNothing(t *testing.T) {
	b := setup(t)
	b.exec(`INSERT INTO app_user (id, account_id, role_id, email, password_hash)
		SELECT gen_random_uuid(), account_id, role_id, 'ada@example.com', password_hash FROM app_user LIMIT 1`)
	for _, address := range []string{email, "ada@example.com"} {
		if _, err := b.service.Basic(t.Context(), address, adminPassword); err != nil {
			t.Fatal(err)
		}
	}
	session := b.open()
	if _, err := b.service.Session(t.Context(), session.Token); err != nil {
		t.Fatal(err)
	}
	b.exec("UPDATE app_user SET name = 'Ada' WHERE email = 'ada@example.com'")
	b.until("the user who changed to be forgotten", func() bool { return !b.service.caches("ada@example.com", adminPassword) })
	if !b.service.caches(email, adminPassword) {
		t.Error("another user's password is verified again")
	}
	sent := b.sent.n.Load()
	for range 100 {
		if _, err := b.service.Session(t.Context(), session.Token); err != nil {
			t.Fatal(err)
		}
	}
	if sent := b.sent.n.Load() - sent; sent > 0 {
		t.Errorf("another user's session is read again: %d statements", sent)
	}
	for range maxChangedUsers {
		b.service.forgetUser(uuid.New())
	}
	if n := len(b.service.cache.users); b.service.caches(email, adminPassword) || n >= maxChangedUsers {
		t.Errorf("after too many changes everybody is forgotten: %d changed users are stored", n)
	}
}

// Each node forgets a user when it is notified of a change, long before its cached sign-ins expire.
func TestBasic_EveryNodeIsNotifiedOfAChange(t *testing.T) {
	for name, c := range map[string]struct {
		change string
		want   func(account.Actor, error) bool
	}{
		"deactivated": {"UPDATE app_user SET active = false",
			func(_ account.Actor, err error) bool { return problem.Is(err, problem.Unauthenticated) }},
		"another password": {"UPDATE app_user SET password_hash = (SELECT password_hash FROM app_user) || 'x'",
			func(_ account.Actor, err error) bool { return err != nil }},
		"deleted": {"DELETE FROM app_user",
			func(_ account.Actor, err error) bool { return problem.Is(err, problem.Unauthenticated) }},
		"role narrowed": {"UPDATE role SET permissions = '{api.access}'",
			func(a account.Actor, err error) bool { return err == nil && !a.Permissions.Has(account.ItemsView) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			nodes := []*Service{b.service, b.run()}
			for _, node := range nodes {
				if _, err := node.Basic(t.Context(), email, adminPassword); err != nil || !node.caches(email, adminPassword) {
					t.Fatalf("the sign-in is not cached: %v", err)
				}
			}
			b.exec(c.change)
			for _, node := range nodes {
				b.until("the node to forget the user", func() bool { return !node.caches(email, adminPassword) })
				if actor, err := node.Basic(t.Context(), email, adminPassword); !c.want(actor, err) {
					t.Errorf("got %+v, %v", actor, err)
				}
			}
		})
	}
}

// An answer costs a hash whether or not an address is known: without one, nobody is answered.
func TestBasic_UnknownAddressAndWrongPasswordBothPayForArgon2(t *testing.T) {
	b := setup(t)
	b.exec(`INSERT INTO app_user SELECT gen_random_uuid(), account_id, role_id, 'off@example.com', '', password_hash, false
		FROM app_user LIMIT 1`)
	asked := 0
	b.service.verify = func(context.Context, string, string) (bool, error) {
		asked++
		return false, problem.New(problem.TooManyRequests, "no slot is free")
	}
	for n, address := range []string{"nobody@example.com", email, "off@example.com"} {
		_, err := b.service.Basic(t.Context(), address, "wrong")
		if !problem.Is(err, problem.TooManyRequests) || asked != n+1 {
			t.Errorf("%s is answered without a hash: %v", address, err)
		}
	}
}
