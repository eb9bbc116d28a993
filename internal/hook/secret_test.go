package hook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"itemcast/internal/change"
	"itemcast/internal/problem"
)

// verify holds a message against secrets, by the public library.
func verify(t *testing.T, m message, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(m.body, m.header); err != nil {
			t.Errorf("verify: %v", err)
		}
	}
	if signed := len(strings.Fields(m.header.Get("Webhook-Signature"))); signed != len(secrets) {
		t.Errorf("it has %d signatures, want %d", signed, len(secrets))
	}
}

func TestRotation_BothSecretsSignForADay(t *testing.T) {
	b := setup(t)
	r := b.receiver(nil)
	h, first := b.hook(r.URL)
	n := b.node(Config{})
	send := func() message {
		t.Helper()
		b.write(n, uuid.New(), change.Created)
		r.mu.Lock()
		count := len(r.messages)
		r.mu.Unlock()
		return r.awaitCount(count + 1)[count]
	}
	verify(t, send(), first)

	second, until, err := b.service.RotateSecret(b.ctx, h.ID, false)
	if err != nil || second == first {
		t.Fatalf("%s, %v", second, err)
	}
	if left := time.Until(*until); left < 23*time.Hour || left > 25*time.Hour {
		t.Errorf("the old secret signs for %s", left)
	}
	if got := b.get(h).OldSecretUntil; got == nil || !got.Equal(*until) {
		t.Errorf("the hook tells %v, want %v", got, until)
	}
	verify(t, send(), second, first)

	b.exec("UPDATE hook SET old_secret_until = now() - interval '1 second'") // a day later
	verify(t, send(), second)
	if got := b.get(h).OldSecretUntil; got != nil {
		t.Errorf("the old secret still signs until %s", got)
	}

	third, _, err := b.service.RotateSecret(b.ctx, h.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	verify(t, send(), third, second) // of two that went before, the last
	fourth, until, err := b.service.RotateSecret(b.ctx, h.ID, true)
	if err != nil || until != nil {
		t.Fatalf("revoked: %v, %v", until, err)
	}
	verify(t, send(), fourth)
	if got := b.get(h).OldSecretUntil; got != nil {
		t.Errorf("after a revocation, the old secret signs until %s", got)
	}
	if _, _, err := b.service.RotateSecret(b.ctx, uuid.New(), false); !problem.Is(err, problem.NotFound) {
		t.Errorf("no hook: %v", err)
	}
}
