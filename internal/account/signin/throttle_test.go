package signin

import (
	"fmt"
	"testing"
	"time"

	"itemcast/internal/problem"
)

// newClockedThrottle returns a throttle whose time passes only by calls of pass.
func newClockedThrottle() (t *throttle, pass func(time.Duration)) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	t = newThrottle()
	t.now = func() time.Time { return now }
	return t, func(d time.Duration) { now = now.Add(d) }
}

func digestOf(password string) digest { return digest([]byte(fmt.Sprintf("%-32s", password))) }

// fails makes n attempts that fail, and returns how many were allowed.
func fails(t *throttle, n int, email, address string) (allowed int) {
	for i := range n {
		if a, _, err := t.begin(email, address, digestOf(fmt.Sprint(i))); err == nil {
			a.fail()
			allowed++
		}
	}
	return allowed
}

func TestThrottle_WaitsDoubleForAUserFromAnAddress(t *testing.T) {
	t.Parallel()
	th, pass := newClockedThrottle()
	if allowed := fails(th, 20, "ada@example.com", "192.0.2.1"); allowed != freeFailures {
		t.Errorf("%d attempts are allowed", allowed)
	}
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		_, _, err := th.begin("ADA@example.com", "192.0.2.1", digestOf("x"))
		if e := problem.Of(err); e == nil || e.RetryAfter != wait {
			t.Errorf("got %v, want a wait of %s", err, wait)
		}
		pass(wait)
		fails(th, 1, "ada@example.com", "192.0.2.1")
	}
	if allowed := fails(th, 1, "ada@example.com", "192.0.2.2"); allowed != 1 {
		t.Error("the user is locked out from another address")
	}
}

func TestThrottle_LimitsAnAddressAndAUserAsAWhole(t *testing.T) {
	t.Parallel()
	th, pass := newClockedThrottle()
	allowed := 0
	for i := range 100 {
		allowed += fails(th, 1, fmt.Sprintf("user%d@example.com", i), "2001:db8::"+fmt.Sprint(i)) // one /64
	}
	if allowed != addressBudget.burst {
		t.Errorf("%d attempts are allowed from an address", allowed)
	}
	pass(addressBudget.refill)
	if allowed := fails(th, 2, "another@example.com", "2001:db8::ffff"); allowed != 1 {
		t.Errorf("%d attempts come back", allowed)
	}
	allowed = 0
	for i := range 300 {
		allowed += fails(th, freeFailures, "ada@example.com", fmt.Sprintf("198.51.%d.%d", i/200, i%200))
	}
	if full := userBudget.burst / freeFailures; allowed != userBudget.burst+(300-full)*firstTries {
		t.Errorf("%d attempts on a user are allowed", allowed)
	}
}

// Refused attempts of other users displace no entry: a throttled pair stays throttled. A refusal is audited once a
// minute.
func TestThrottle_RefusedAttemptsDisplaceNoEntry(t *testing.T) {
	t.Parallel()
	th, pass := newClockedThrottle()
	fails(th, 10, "ada@example.com", "192.0.2.1")
	for range maxWait / time.Second { // until the wait is long
		pass(time.Second)
		fails(th, 1, "ada@example.com", "192.0.2.1")
	}
	before, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("x"))
	if before != nil || problem.Of(err).RetryAfter < time.Minute {
		t.Fatalf("got %v", err)
	}
	audited, allowed := 0, 0
	for i := range maxRemembered + 1000 {
		a, first, _ := th.begin(fmt.Sprintf("user%d@example.com", i), "192.0.2.1", digestOf("x"))
		if a != nil {
			a.fail()
			allowed++
		}
		if first {
			audited++
		}
	}
	if allowed > addressBudget.burst || audited != 1 {
		t.Errorf("%d attempts are allowed, and refusals audited %d times", allowed, audited)
	}
	if allowed := fails(th, 1, "ada@example.com", "192.0.2.1"); allowed != 0 {
		t.Error("the failures of the throttled user are forgotten")
	}
}

func TestThrottle_OthersFailuresDoNotLockAnOwnerOut(t *testing.T) {
	t.Parallel()
	th, pass := newClockedThrottle()
	a, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("right"))
	if err != nil || !a.succeed() {
		t.Fatalf("got %v", err)
	}
	for i := range 300 { // of all users from her address, and of her from all addresses
		fails(th, 1, fmt.Sprintf("user%d@example.com", i), "192.0.2.1")
		fails(th, 1, "ada@example.com", fmt.Sprintf("198.51.%d.%d", i/200, i%200))
	}
	if allowed := fails(th, 1, "ada@example.com", "192.0.2.1"); allowed != 1 {
		t.Error("at an address where she signed in lately, others' failures count")
	}
	fails(th, 20, "ada@example.com", "192.0.2.1") // even of her, from there: it costs seconds
	pass(maxKnownWait)
	if allowed := fails(th, 1, "ada@example.com", "192.0.2.1"); allowed != 1 {
		t.Error("at an address where she signed in lately, she waits for longer than seconds")
	}
	if _, _, err := th.begin("ada@example.com", "203.0.113.1", digestOf("right")); err != nil {
		t.Errorf("her password from another address: %v", err)
	}
}

// After a restart no address is known, not even the owner's.
func TestThrottle_AllowsFirstTriesFromAnyAddress(t *testing.T) {
	t.Parallel()
	th, _ := newClockedThrottle()
	for i := range 20 {
		fails(th, freeFailures, "ada@example.com", fmt.Sprintf("198.51.100.%d", i))
	}
	if allowed := fails(th, freeFailures, "ada@example.com", "203.0.113.1"); allowed != firstTries {
		t.Errorf("%d tries are allowed from a new address", allowed)
	}
	a, _, err := th.begin("ada@example.com", "203.0.113.2", digestOf("right"))
	if err != nil {
		t.Fatal(err)
	}
	a.succeed()
	if allowed := fails(th, userBudget.burst, "ada@example.com", "203.0.113.3"); allowed != firstTries {
		t.Errorf("an attempt without a token refunded one: %d tries are allowed", allowed)
	}
}

// A client that shares an address with a user cannot guess that user's password without limit.
func TestThrottle_WaitsGrowAtKnownAddressesAfterManyFailures(t *testing.T) {
	t.Parallel()
	th, pass := newClockedThrottle()
	a, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("right"))
	if err != nil {
		t.Fatal(err)
	}
	a.succeed()
	allowed := 0
	for range 24 * time.Hour / maxKnownWait {
		allowed += fails(th, 1, "ada@example.com", "192.0.2.1")
		pass(maxKnownWait)
	}
	if allowed < knownFailures || allowed > 150 {
		t.Errorf("%d guesses are allowed in a day", allowed)
	}
}

func TestThrottle_AttemptsWithoutAnOutcomeAreNotCounted(t *testing.T) {
	t.Parallel()
	th, _ := newClockedThrottle()
	for range 200 {
		a, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("x"))
		if err != nil {
			t.Fatal(err)
		}
		a.undo()
	}
	if allowed := fails(th, 20, "ada@example.com", "192.0.2.1"); allowed != freeFailures {
		t.Errorf("%d attempts are allowed", allowed)
	}
}
