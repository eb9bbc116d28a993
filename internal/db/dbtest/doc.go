// Package dbtest gives each test a Postgres database of its own, with the current schema, in tens of milliseconds.
//
//	pool := dbtest.New(t)
//
// The server is ITEMCAST_TEST_DATABASE_URL (a role that may create databases), or else one that all test binaries of this user
// share, without fsync, in the user's cache directory:
//
//	test binary ──┐ each holds a shared flock on use.lock for as long as it lives
//	test binary ──┼──────────────────────────────────────────────────────────────┐
//	test binary ──┘ the first one starts ↓                                       │
//	                keeper (the same binary, detached) ── Postgres               │
//	                waits for the exclusive flock on use.lock  ←─────────────────┘ then stops Postgres and exits
//
// It promises that nothing is left running: the kernel releases a lock however its holder ends, `kill -9` included, so the keeper
// stops Postgres a moment after the last test binary is gone; and should the keeper be killed, the kernel stops Postgres on Linux.
// Its data stays in the cache directory, so that later runs start at once.
//
// The schema is migrated once, into a template database named after the content of the migrations; a test's database is a copy of
// it, and is dropped when the test ends. What killed tests left behind is dropped by the next test binary.
//
// A test that wants to kill Postgres takes a private one from [Cluster]. The package must not know what the schema holds, and only
// tests may import it.
package dbtest
