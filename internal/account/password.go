package account

import (
	"context"
	"runtime"
	"time"

	"github.com/alexedwards/argon2id"

	"itemcast/internal/problem"
)

// hashing bounds how many hashes are computed at once: each takes 64 MiB and a core for some 100 ms, and anyone may ask for one.
var hashing = make(chan struct{}, max(1, runtime.NumCPU()))

// hashWait is how long a sign-in waits for its turn: those who come in a flood are turned away, not queued without end.
const hashWait = 5 * time.Second

// HashPassword makes the hash that is stored; it holds its own parameters.
func HashPassword(password string) (string, error) {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2id.CreateHash(password, argonParams)
}

// verifyPassword errors: TOO_MANY_REQUESTS when too many others are before it.
func verifyPassword(ctx context.Context, password, hash string) (bool, error) {
	turn := time.NewTimer(hashWait)
	defer turn.Stop()
	select {
	case hashing <- struct{}{}:
	case <-turn.C:
		return false, problem.New(problem.TooManyRequests, "Too many people are signing in; try again in a moment.")
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-hashing }()
	return argon2id.ComparePasswordAndHash(password, hash)
}
