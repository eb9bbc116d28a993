package signin

import (
	"fmt"
	"testing"
	"time"

	"itemcast/internal/problem"
)

// clock is a throttle's time, which the test sets.
func throttled() (t *throttle, pass func(time.Duration)) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	t = newThrottle()
	t.now = func() time.Time { return now }
	return t, func(d time.Duration) { now = now.Add(d) }
}

func digestOf(password string) digest { return digest([]byte(fmt.Sprintf("%-32s", password))) }

// fails makes attempts that fail, and returns how many were let through.
func fails(t *throttle, n int, email, address string) (made int) {
	for i := range n {
		if a, _, err := t.begin(email, address, digestOf(fmt.Sprint(i))); err == nil {
			a.fail()
			made++
		}
	}
	return made
}

func TestThrottle_WaitsDoubleForAUserFromAnAddress(t *testing.T) {
	t.Parallel()
	th, pass := throttled()
	if made := fails(th, 20, "ada@example.com", "192.0.2.1"); made != freeFailures {
		t.Errorf("%d attempts were let through", made)
	}
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		_, _, err := th.begin("ADA@example.com", "192.0.2.1", digestOf("x"))
		if e := problem.Of(err); e == nil || e.RetryAfter != wait {
			t.Errorf("got %v, want a wait of %s", err, wait)
		}
		pass(wait)
		fails(th, 1, "ada@example.com", "192.0.2.1")
	}
	if made := fails(th, 1, "ada@example.com", "192.0.2.2"); made != 1 {
		t.Error("the user is locked out elsewhere")
	}
}

func TestThrottle_CountsAnAddressAndAUserAsAWhole(t *testing.T) {
	t.Parallel()
	th, pass := throttled()
	made := 0
	for i := range 100 {
		made += fails(th, 1, fmt.Sprintf("user%d@example.com", i), "2001:db8::"+fmt.Sprint(i)) // one /64
	}
	if made != addressBudget.burst {
		t.Errorf("an address made %d attempts", made)
	}
	pass(addressBudget.refill)
	if made := fails(th, 2, "another@example.com", "2001:db8::ffff"); made != 1 {
		t.Errorf("%d attempts came back", made)
	}
	made = 0
	for i := range 300 {
		made += fails(th, freeFailures, "ada@example.com", fmt.Sprintf("198.51.%d.%d", i/200, i%200))
	}
	if full := userBudget.burst / freeFailures; made != userBudget.burst+(300-full)*firstTries {
		t.Errorf("%d attempts were made on a user", made)
	}
}

// What is refused takes nobody's place: who is slowed down stays so, whatever else they ask for, and is noted once a
// minute.
func TestThrottle_CannotBeEmptiedByWhatItRefuses(t *testing.T) {
	t.Parallel()
	th, pass := throttled()
	fails(th, 10, "ada@example.com", "192.0.2.1")
	for range maxWait / time.Second { // she is guessed at until the wait is long
		pass(time.Second)
		fails(th, 1, "ada@example.com", "192.0.2.1")
	}
	before, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("x"))
	if before != nil || problem.Of(err).RetryAfter < time.Minute {
		t.Fatalf("got %v", err)
	}
	told, made := 0, 0
	for i := range maxRemembered + 1000 {
		a, first, _ := th.begin(fmt.Sprintf("user%d@example.com", i), "192.0.2.1", digestOf("x"))
		if a != nil {
			a.fail()
			made++
		}
		if first {
			told++
		}
	}
	if made > addressBudget.burst || told != 1 {
		t.Errorf("%d were let through, and refusals noted %d times", made, told)
	}
	if made := fails(th, 1, "ada@example.com", "192.0.2.1"); made != 0 {
		t.Error("what was counted of her is forgotten")
	}
}

func TestThrottle_AnOwnerIsNotLockedOutByOthersFailures(t *testing.T) {
	t.Parallel()
	th, pass := throttled()
	a, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("right"))
	if err != nil || !a.succeed() {
		t.Fatalf("got %v", err)
	}
	for i := range 300 { // of everybody from her address, and of her from everywhere
		fails(th, 1, fmt.Sprintf("user%d@example.com", i), "192.0.2.1")
		fails(th, 1, "ada@example.com", fmt.Sprintf("198.51.%d.%d", i/200, i%200))
	}
	if made := fails(th, 1, "ada@example.com", "192.0.2.1"); made != 1 {
		t.Error("where she signed in lately, others' failures count")
	}
	fails(th, 20, "ada@example.com", "192.0.2.1") // even of her, from there: it costs seconds
	pass(maxKnownWait)
	if made := fails(th, 1, "ada@example.com", "192.0.2.1"); made != 1 {
		t.Error("where she signed in lately, she waits for longer than seconds")
	}
	if _, _, err := th.begin("ada@example.com", "203.0.113.1", digestOf("right")); err != nil {
		t.Errorf("the password that was right lately, from elsewhere: %v", err)
	}
}

// After a restart nothing is known of anybody, and an owner comes from a place like any other.
func TestThrottle_AnOwnerWhoIsNotKnownYetIsLetTry(t *testing.T) {
	t.Parallel()
	th, _ := throttled()
	for i := range 20 {
		fails(th, freeFailures, "ada@example.com", fmt.Sprintf("198.51.100.%d", i))
	}
	if made := fails(th, freeFailures, "ada@example.com", "203.0.113.1"); made != firstTries {
		t.Errorf("from a clean address %d tries are let through", made)
	}
	a, _, err := th.begin("ada@example.com", "203.0.113.2", digestOf("right"))
	if err != nil {
		t.Fatal(err)
	}
	a.succeed()
	if made := fails(th, userBudget.burst, "ada@example.com", "203.0.113.3"); made != firstTries {
		t.Errorf("what was let through without a token gave one back: %d", made)
	}
}

// Whoever shares an address with a user who signed in there may not guess for ever.
func TestThrottle_WaitsGrowAtKnownPlacesTooAfterManyFailures(t *testing.T) {
	t.Parallel()
	th, pass := throttled()
	a, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("right"))
	if err != nil {
		t.Fatal(err)
	}
	a.succeed()
	made := 0
	for range 24 * time.Hour / maxKnownWait {
		made += fails(th, 1, "ada@example.com", "192.0.2.1")
		pass(maxKnownWait)
	}
	if made < knownFailures || made > 150 {
		t.Errorf("%d guesses were made in a day", made)
	}
}

func TestThrottle_WhatCameToNoAnswerIsNotCounted(t *testing.T) {
	t.Parallel()
	th, _ := throttled()
	for range 200 {
		a, _, err := th.begin("ada@example.com", "192.0.2.1", digestOf("x"))
		if err != nil {
			t.Fatal(err)
		}
		a.undo()
	}
	if made := fails(th, 20, "ada@example.com", "192.0.2.1"); made != freeFailures {
		t.Errorf("%d attempts were let through", made)
	}
}
