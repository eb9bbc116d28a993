package account

import (
	"runtime"

	"github.com/alexedwards/argon2id"
)

// Argon2id at the second recommended option of RFC 9106 §4 (64 MiB, 3 passes), with as many lanes as most machines have cores.
var argonParams = &argon2id.Params{Memory: 64 * 1024, Iterations: 3, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// hashing bounds how many hashes are computed at once: each takes 64 MiB and a core for some 100 ms, and anyone may ask for one.
var hashing = make(chan struct{}, max(1, runtime.NumCPU()))

// HashPassword makes the hash that is stored; it holds its own parameters.
func HashPassword(password string) (string, error) {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2id.CreateHash(password, argonParams)
}

func verifyPassword(password, hash string) (bool, error) {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2id.ComparePasswordAndHash(password, hash)
}
