//go:build race

package account

import "github.com/alexedwards/argon2id"

// The race detector, with which nobody serves, watches each of a hash's millions of memory accesses: tests would wait for little else.
var argonParams = &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}
