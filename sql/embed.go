// Package sql embeds the schema's migrations, and what follows a restore, in the binary. Statements (queries/NOUN) are
// not embedded: sqlc generates code from them.
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

// The statements that follow a restore, in its transaction.
var (
	//go:embed restore/new_horizons.sql
	NewHorizons string // needed in every copy
	//go:embed restore/new_epoch.sql
	NewEpoch string // expires the cursors from before
	//go:embed restore/pause_hooks.sql
	PauseHooks string // makes all hooks inactive
)
