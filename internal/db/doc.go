// Package db is Itemcast's access to Postgres. It opens pools ([Open], [OpenQueue]), migrates the schema ([Migrate]),
// runs transactions that travel in a context ([Write], [Begin]) and follows notifications ([Listen]).
//
// It promises:
//
//   - An open pool has reached a Postgres that is new enough, and a dead connection is noticed within 30 seconds.
//   - Postgres ends a transaction that was left open.
//   - Any number of nodes may migrate at the same time.
//   - A transaction commits as a whole or not at all, in as few round trips as its statements allow (pipeline.go).
//
// It must not know any table. Statements are in sql/, and their generated code is in each noun's store. Package
// postgres runs the embedded Postgres; package dbtest creates databases for tests.
package db
