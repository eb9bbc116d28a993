// Package dbtest gives each test a separate Postgres database, with the current schema, in tens of milliseconds.
//
//	pool := dbtest.New(t)
//
// The server is ITEMCAST_TEST_DATABASE_URL (a role that may create databases), or else one in the user's cache
// directory, without fsync, that all test binaries of the user share:
//
//	test binary ──┐ each holds a shared flock on use.lock while it lives
//	test binary ──┼────────────────────────────────────────────────────────────────┐
//	test binary ──┘ the first one starts ↓                                         │
//	                supervisor (the same binary, detached) ── Postgres             │
//	                waits for the exclusive flock on use.lock  ◀───────────────────┘ then stops Postgres and exits
//
// It promises that nothing is left running. The kernel releases a flock however its holder ends, `kill -9` included, so
// the supervisor stops Postgres a moment after the last test binary is gone. If the supervisor is killed, the kernel
// stops Postgres (on Linux). The data stays in the cache directory, so that later runs start at once.
//
// The schema is migrated once, into a template database whose name is a hash of the migrations. A test's database is a
// copy of the template, and is dropped when the test ends. The next test binary drops what killed tests left behind.
//
// A test that kills Postgres takes a private one from [Cluster]. The package must not know what the schema contains.
// Only tests may import it.
//
// # Why not pgtestdb
//
// github.com/peterldowns/pgtestdb also clones a template for each test, but v0.1.1 does not fit:
//
//   - It marks the template by UPDATE pg_database, which only a superuser may do. A CI database usually gives a role
//     that may create databases, and no superuser.
//   - It never drops the databases of failed and killed tests, nor old templates. They would pile up on the shared
//     server, so most of our code would remain.
//   - It opens two more connections for each test, and cannot choose how Postgres copies the template (copyStrategy).
package dbtest
