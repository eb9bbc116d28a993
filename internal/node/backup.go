package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"itemcast/internal/db"
	"itemcast/internal/postgres"
	"itemcast/sql"
)

// Backup writes a copy of a database to out, while servers go on working with it. It changes nothing: a backup before
// an upgrade has the old schema.
func Backup(ctx context.Context, config DatabaseConfig, out io.Writer) error {
	config.First = nil
	d, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer d.Close()
	empty, err := db.IsEmpty(ctx, d.Pool)
	if err == nil && empty {
		err = config.first()
	}
	if err != nil {
		return err
	}
	return postgres.Dump(ctx, d.url, out)
}

// RestoreOptions say what becomes of a copy's clients and receivers.
type RestoreOptions struct {
	KeepCursors bool // cursors from before stay valid: right only if nothing was changed after the backup
	PauseHooks  bool // hooks are inactive in the copy
}

// Restore fills an empty database from a backup, and migrates it. It creates the embedded Postgres if there is none. An
// interrupted restore leaves the database empty.
func Restore(ctx context.Context, config DatabaseConfig, backup io.Reader, options RestoreOptions) error {
	config.First = func() error { return nil }
	config.Shared = false // a server would find its database filled while it runs
	d, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer d.Close()
	empty, err := db.IsEmpty(ctx, d.Pool)
	if err != nil {
		return err
	}
	if !empty {
		return config.occupied()
	}
	after := sql.NewHorizons
	if !options.KeepCursors {
		after += sql.NewEpoch
	}
	if options.PauseHooks {
		after += sql.PauseHooks
	}
	if err := postgres.Restore(ctx, d.url, backup, after); err != nil {
		return fmt.Errorf("nothing was restored: %w", err)
	}
	ctx = context.WithoutCancel(ctx) // the data is restored, and what interrupts the command now must not say otherwise
	return db.Migrate(ctx, d.Pool, sql.Migrations, db.MigrateOptions{Log: config.Log})
}

// occupied is the error of a restore into a database that has data.
func (c *DatabaseConfig) occupied() error {
	if c.URL != "" {
		return errors.New("the database of " + databaseSetting + " has data, and a restore needs an empty one: create " +
			"another database")
	}
	return fmt.Errorf("there is data in %s, and a restore needs an empty folder: choose another one with --data-dir "+
		"(ITEMCAST_DATA_DIR), or move this one away", c.DataDir)
}
