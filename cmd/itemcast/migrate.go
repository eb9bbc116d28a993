package main

import (
	"context"
	"fmt"

	"itemcast/internal/node"
)

type migrateCommand struct{}

// Run opens the database, which migrates it.
func (migrateCommand) Run(ctx context.Context, c *console, d *database) error {
	config := d.config(c.log)
	config.Shared = true
	if d.DatabaseURL != "" {
		config.First = func() error { return nil } // the schema of an empty database
	}
	o, err := node.OpenDatabase(ctx, config)
	if err != nil {
		return err
	}
	defer o.Close()
	_, err = fmt.Fprintln(c.out, "The schema is up to date.")
	return err
}
