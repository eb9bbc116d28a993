package signin

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/problem"
)

func TestBasic_AcceptsTheRightPasswordOnly(t *testing.T) {
	b := setup(t)
	actor, err := b.service.Basic(t.Context(), "ADMIN@example.com", secret)
	if err != nil || actor.Email != email || actor.Role != "Administrator" || !actor.Permissions.Has(account.UsersManage) {
		t.Errorf("got %+v, %v", actor, err)
	}
	for _, c := range [][2]string{{email, "wrong"}, {email, ""}, {"nobody@example.com", secret}, {"", ""},
		{email, secret + "\x00"}, {"a\x00b", "x"}} {
		if _, err := b.service.Basic(t.Context(), c[0], c[1]); !problem.Is(err, problem.Unauthenticated) {
			t.Errorf("%q: got %v", c, err)
		}
	}
}

func TestBasic_CachedCredentialsCostNoStatement(t *testing.T) {
	b := setup(t)
	b.signIn()
	before := b.sent.n.Load() // the listener's pings are on a connection of its own, with the same tracer
	for range 1000 {
		b.signIn()
	}
	if sent := b.sent.n.Load() - before; sent > 2 {
		t.Errorf("a thousand sign-ins sent %d statements", sent)
	}
}

func TestBasic_AChangeOfAUserCostsOthersNothing(t *testing.T) {
	b := setup(t)
	b.exec(`INSERT INTO app_user (id, account_id, role_id, email, password_hash)
		SELECT gen_random_uuid(), account_id, role_id, 'ada@example.com', password_hash FROM app_user LIMIT 1`)
	for _, address := range []string{email, "ada@example.com"} {
		if _, err := b.service.Basic(t.Context(), address, secret); err != nil {
			t.Fatal(err)
		}
	}
	session := b.open()
	if _, err := b.service.Session(t.Context(), session.Token); err != nil {
		t.Fatal(err)
	}
	before := b.service.cache.current()
	b.exec("UPDATE app_user SET name = 'Ada' WHERE email = 'ada@example.com'")
	b.until("the notification", func() bool { return b.service.cache.current() > before })
	if b.service.caches("ada@example.com", secret) {
		t.Error("a user who changed is still cached")
	}
	if !b.service.caches(email, secret) {
		t.Error("another user's password is verified again")
	}
	sent := b.sent.n.Load()
	for range 100 {
		if _, err := b.service.Session(t.Context(), session.Token); err != nil {
			t.Fatal(err)
		}
	}
	if sent := b.sent.n.Load() - sent; sent > 2 { // the listener's pings
		t.Errorf("another user's session is read again: %d statements", sent)
	}
	for range maxChangedUsers {
		b.service.forgetUser(uuid.New())
	}
	if n := len(b.service.cache.users); b.service.caches(email, secret) || n >= maxChangedUsers {
		t.Errorf("after too many changes everybody is forgotten: %d changed users are stored", n)
	}
}

func TestBasic_EveryNodeLearnsOfAChangeWithinASecond(t *testing.T) {
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
			generations := make([]int, len(nodes))
			for n, node := range nodes {
				if _, err := node.Basic(t.Context(), email, secret); err != nil {
					t.Fatal(err)
				}
				generations[n] = node.cache.current()
			}
			start := time.Now()
			b.exec(c.change)
			for n, node := range nodes {
				b.until("the node to forget", func() bool { return node.cache.current() > generations[n] })
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("it took %v", took)
			}
			for _, node := range nodes {
				if actor, err := node.Basic(t.Context(), email, secret); !c.want(actor, err) {
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
