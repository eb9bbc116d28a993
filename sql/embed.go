// Package sql embeds the schema's migrations in the binary. Statements (queries/NOUN) are not embedded: sqlc generates
// code from them.
package sql

import (
	"embed"
	"io/fs"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations has the goose migrations at its root, for db.Migrate.
var Migrations = migrations()

func migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return sub
}
