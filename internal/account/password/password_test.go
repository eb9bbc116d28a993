package password

import (
	"context"
	"errors"
	"testing"
)

func TestFault_FollowsTheRulesOfNIST(t *testing.T) {
	t.Parallel()
	for password, good := range map[string]bool{
		"correct horse": true, "a bicycle made of rain": true, "grünesß": false, "grünesßß": true, "8 chars!": true,
		"short": false, "": false, "password": false, "Password123": false, "PASSW0RD": false, "qwertyuiop": false,
		"12345678": false, "11111111": false, "itemcast": false, "ada.lovelace@example.com": false, "Ada.Lovelace": false,
		"with\x00nul byte": false, "administrator!": false, "password of my own making": true,
	} {
		if fault := Fault(password, "ada.lovelace@example.com"); (fault == "") != good {
			t.Errorf("%q: %s", password, fault)
		}
	}
	if Fault(string(make([]byte, MaxBytes+1)), "a@b") == "" {
		t.Error("a password that is too long is accepted")
	}
}

func TestVerify_AcceptsTheHashedPasswordOnly(t *testing.T) {
	hash, err := Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		password, hash string
		want           bool
	}{
		{"correct horse", hash, true}, {"wrong", hash, false}, {"", hash, false},
		{"correct horse", "", false}, {"", "", false},
	} {
		if match, err := Verify(t.Context(), c.password, c.hash); err != nil || match != c.want {
			t.Errorf("%q against %q: got %v, %v", c.password, c.hash, match, err)
		}
	}
}

// This test and the next occupy slots of the whole process, so they do not run in parallel.
func TestHash_LeavesSlotsToSignIns(t *testing.T) {
	stored, err := Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	defer occupy(newSlots)()
	if _, err := Hash(canceled(t), "a bicycle made of rain"); !errors.Is(err, context.Canceled) {
		t.Errorf("with every slot for new passwords taken: got %v", err)
	}
	if cap(slots) > 1 && cap(newSlots) >= cap(slots) {
		t.Errorf("new passwords may take %d of %d slots", cap(newSlots), cap(slots))
	}
	if match, err := Verify(t.Context(), "correct horse", stored); err != nil || !match {
		t.Errorf("got %v, %v", match, err)
	}
}

func TestVerify_TakesASlotWithAndWithoutAHash(t *testing.T) {
	hash, err := Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	defer occupy(slots)()
	for _, stored := range []string{hash, ""} {
		if _, err := Verify(canceled(t), "wrong", stored); !errors.Is(err, context.Canceled) {
			t.Errorf("with every slot taken, hash %q: got %v", stored, err)
		}
	}
}

// canceled returns a context with which whatever waits for a slot fails, and whatever needs none succeeds.
func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func occupy(pool chan struct{}) (release func()) {
	for range cap(pool) {
		pool <- struct{}{}
	}
	return func() {
		for range cap(pool) {
			<-pool
		}
	}
}
