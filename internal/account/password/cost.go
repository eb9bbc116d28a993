//go:build !race

package password

import "github.com/alexedwards/argon2id"

// The second recommended option of RFC 9106 §4 (64 MiB, 3 passes), with as many lanes as most machines have cores.
var argonParams = &argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 2, SaltLength: 16, KeyLength: 32}
