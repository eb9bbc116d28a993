package main

import (
	"context"
	"fmt"
)

type migrateCommand struct{}

// Run opens the database, which migrates it.
func (migrateCommand) Run(ctx context.Context, c *console, d *database) error {
	o, err := d.openShared(ctx, c.log)
	if err != nil {
		return err
	}
	defer o.Close()
	_, err = fmt.Fprintln(c.out, "The schema is up to date.")
	return err
}
