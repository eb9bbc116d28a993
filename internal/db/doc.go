// Package db is Itemcast's way to Postgres: it opens pools ([Open]) and brings the schema up to date ([Migrate]).
//
// It promises that an open pool has reached a Postgres that is new enough, that a dead connection is noticed, that a transaction
// forgotten open is ended, and that any number of nodes may migrate at the same time.
//
// It must not know any table: statements belong to sql/, and their generated code to the store of each noun. The Postgres that Itemcast brings
// along is package postgres; databases for tests are package dbtest.
package db
