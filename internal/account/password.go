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

// setting bounds how many of them are of passwords that are being set: the rest is there for sign-ins alone.
var setting = make(chan struct{}, max(1, cap(hashing)/2))

// hashWait is how long anyone waits for a turn: those who come in a flood are turned away, not queued without end.
const hashWait = 5 * time.Second

// HashPassword makes the hash that is stored; it holds its own parameters. Error: TOO_MANY_REQUESTS when too many others are before it.
func HashPassword(ctx context.Context, password string) (string, error) {
	leave, err := turn(ctx, setting, hashing)
	if err != nil {
		return "", err
	}
	defer leave()
	return argon2id.CreateHash(password, argonParams)
}

// verifyPassword errors: as HashPassword.
func verifyPassword(ctx context.Context, password, hash string) (bool, error) {
	leave, err := turn(ctx, hashing)
	if err != nil {
		return false, err
	}
	defer leave()
	return argon2id.ComparePasswordAndHash(password, hash)
}

// turn waits for a place in each of the lines. Who has one leaves it after use.
func turn(ctx context.Context, lines ...chan struct{}) (leave func(), err error) {
	patience := time.NewTimer(hashWait)
	defer patience.Stop()
	leave = func() {}
	for _, line := range lines {
		select {
		case line <- struct{}{}:
			before := leave
			leave = func() { <-line; before() }
		case <-patience.C:
			leave()
			return nil, problem.New(problem.TooManyRequests, "Too many people are signing in; try again in a moment.")
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
	return leave, nil
}
