package password

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"itemcast/internal/plaintext"
	"itemcast/internal/problem"
)

// A hash takes 64 MiB and occupies a core for some 100 ms, and any client may cause one. slots bounds how many are
// computed at once. A new password also takes one of newSlots, so that half of the slots are left to sign-ins.
var (
	slots    = make(chan struct{}, max(1, runtime.NumCPU()))
	newSlots = make(chan struct{}, max(1, cap(slots)/2))
)

// slotTimeout bounds the wait for a slot, so that a flood of requests is refused instead of queued without limit.
const slotTimeout = 5 * time.Second

// Hash returns the hash to store for a new password, in the argon2id text format with its parameters. It composes the
// password (RFC 8265 §4.2), because keyboards differ in how they write the same letters. It may be called concurrently.
// Errors: TOO_MANY_REQUESTS when no slot is free within 5 seconds, and that of ctx.
func Hash(ctx context.Context, password string) (string, error) {
	release, err := acquire(ctx, newSlots, slots)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := argon2id.CreateHash(plaintext.Composed(password), argonParams)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Verify reports whether a password matches a stored hash: as it was typed, or composed. An empty hash matches no
// password, and takes as long as any other, so that the time does not reveal whether a password is set. It may be
// called concurrently. Errors: as Hash.
func Verify(ctx context.Context, password, hash string) (bool, error) {
	if hash == "" {
		hash = decoy()
	}
	release, err := acquire(ctx, slots)
	if err != nil {
		return false, err
	}
	defer release()
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	if composed := plaintext.Composed(password); err == nil && !match && composed != password {
		match, err = argon2id.ComparePasswordAndHash(composed, hash)
	}
	if err != nil {
		return false, fmt.Errorf("verify password: %w", err)
	}
	return match, nil
}

// decoy is the hash of a random password. It is computed once, without a slot.
var decoy = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(rand.Text(), argonParams)
	if err != nil {
		panic(err) // only if the machine has no randomness
	}
	return hash
})

// acquire takes a slot of each pool, in order. The caller releases them.
func acquire(ctx context.Context, pools ...chan struct{}) (release func(), err error) {
	timeout := time.NewTimer(slotTimeout)
	defer timeout.Stop()
	release = func() {}
	for _, pool := range pools {
		select {
		case pool <- struct{}{}:
			earlier := release
			release = func() { <-pool; earlier() }
		case <-timeout.C:
			release()
			return nil, problem.New(problem.TooManyRequests, "Too many people are signing in; try again in a moment.")
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		}
	}
	return release, nil
}
