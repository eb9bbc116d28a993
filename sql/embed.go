// Package sql carries the schema's migrations in the binary. The statements themselves are compiled by sqlc, not read at run time.
package sql

import (
	"embed"
	"io/fs"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations holds the goose migrations at its root, for db.Migrate.
var Migrations = migrations()

func migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return sub
}
