package hook_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/change"
	"itemcast/internal/hook/dispatch"
	"itemcast/internal/hook/hooktest"
	"itemcast/internal/problem"
)

func TestRotation_BothSecretsSignForADay(t *testing.T) {
	b := setup(t)
	r := b.Receiver(nil)
	h, first := b.Hook(r.URL)
	n := b.node(dispatch.Config{})
	send := func() hooktest.Message {
		t.Helper()
		b.write(n, uuid.New(), change.Created)
		count := len(r.Messages())
		return r.AwaitCount(count + 1)[count]
	}
	send().Verify(t, first)

	second, until, err := b.Service.RotateSecret(b.Ctx, h.ID, false)
	if err != nil || second == first {
		t.Fatalf("%s, %v", second, err)
	}
	if left := time.Until(*until); left < 23*time.Hour || left > 25*time.Hour {
		t.Errorf("the old secret signs for %s", left)
	}
	if got := b.Get(h).OldSecretUntil; got == nil || !got.Equal(*until) {
		t.Errorf("the hook shows %v, want %v", got, until)
	}
	send().Verify(t, second, first)

	b.Exec("UPDATE hook SET old_secret_until = now() - interval '1 second'") // a day later
	send().Verify(t, second)
	if got := b.Get(h).OldSecretUntil; got != nil {
		t.Errorf("the old secret still signs until %s", got)
	}

	third, _, err := b.Service.RotateSecret(b.Ctx, h.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	send().Verify(t, third, second) // the last of two earlier secrets
	fourth, until, err := b.Service.RotateSecret(b.Ctx, h.ID, true)
	if err != nil || until != nil {
		t.Fatalf("revoked: %v, %v", until, err)
	}
	send().Verify(t, fourth)
	if got := b.Get(h).OldSecretUntil; got != nil {
		t.Errorf("after a revocation, the old secret signs until %s", got)
	}
	if _, _, err := b.Service.RotateSecret(b.Ctx, uuid.New(), false); !problem.Is(err, problem.NotFound) {
		t.Errorf("no hook: %v", err)
	}
}
