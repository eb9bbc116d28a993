//go:build race

package password

import "github.com/alexedwards/argon2id"

// The race detector checks each of a hash's millions of memory accesses, so tests under it use a cheap hash.
var argonParams = &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}
