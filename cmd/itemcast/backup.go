package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"itemcast/internal/node"
	"itemcast/internal/postgres"
)

type backupCommand struct {
	File string `arg:"" help:"File to write; - is standard output. Only a complete backup replaces an existing file."`
}

// Help is printed by --help.
func (*backupCommand) Help() string {
	return `The file has everything in the database: items, the change log, hooks with their secrets, users, sessions. ` +
		`Only its owner can read it; protect it as you protect the database. Its format is that of ` +
		`pg_dump --format=custom, and itemcast needs pg_dump of the version of the Postgres, or newer.`
}

// Run writes the backup of a running server's database, or of the command's own.
func (b *backupCommand) Run(ctx context.Context, c *console, d *database) error {
	began := time.Now()
	out, err := openDestination(b.File, c.out)
	if err != nil {
		return err
	}
	defer out.discard()
	if out.final != "" {
		if err := out.file.Chmod(0o600); err != nil {
			return fmt.Errorf("protect the backup: %w", err)
		}
	}
	config := d.config(c.log)
	config.Shared = true
	err = node.Backup(ctx, config, out)
	if err == nil {
		err = out.commit()
	}
	if err != nil && ctx.Err() != nil {
		out.discard()
		exit(c, exitInterrupted, "interrupted; %s", out.stateIfDiscarded())
	}
	if err != nil {
		return fmt.Errorf("cannot write the backup: %w", err)
	}
	fmt.Fprintf(c.err, "backed up %d bytes, in %s\n", out.bytes, rounded(time.Since(began)))
	return nil
}

type restoreCommand struct {
	File        string `arg:"" help:"A file of itemcast backup; - is standard input."`
	PauseHooks  bool   `help:"Make all hooks inactive, so that a copy does not send what the original sends."`
	KeepCursors bool   `help:"Accept clients' cursors from before the restore. Only if nothing was changed after the backup."`
}

// Help is printed by --help.
func (*restoreCommand) Help() string {
	return `The data directory must not exist or be empty, or the database of ITEMCAST_DATABASE_URL be empty. ` +
		`An interrupted restore leaves no data. Start the server afterwards.

A restored copy sends hooks as the original does, also the deliveries that were pending. With --pause-hooks, ` +
		`all hooks are inactive and pending deliveries end as failed; set active again when the copy takes over.

Clients' cursors from before the restore are answered with CURSOR_EXPIRED, and clients copy the items again: ` +
		`they may have seen changes that the backup does not have. --keep-cursors is for a move to another machine, ` +
		`where the server was stopped before the backup.`
}

// Run restores a backup.
func (r *restoreCommand) Run(ctx context.Context, c *console, d *database) error {
	began := time.Now()
	backup, closeBackup, err := openBackup(r.File)
	if err != nil {
		return err
	}
	defer closeBackup()
	options := node.RestoreOptions{PauseHooks: r.PauseHooks, KeepCursors: r.KeepCursors}
	err = node.Restore(ctx, d.config(c.log), backup, options)
	if err != nil && ctx.Err() != nil {
		exit(c, exitInterrupted, "interrupted; nothing was restored")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Restored, in %s. Start the server with itemcast serve.\n", rounded(time.Since(began)))
	if r.PauseHooks {
		fmt.Fprintln(c.out, "All hooks are inactive.")
	} else {
		fmt.Fprintln(c.out, "Active hooks send as soon as it runs.")
	}
	return nil
}

// openBackup opens a backup, and checks that it is one before anything is created.
func openBackup(name string) (backup io.Reader, closeBackup func(), err error) {
	file := os.Stdin
	if name != "-" {
		file, err = os.Open(name)
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			return nil, nil, fmt.Errorf("cannot read %s: %w (name a file of itemcast backup)", name, failed.Err)
		}
	}
	buffered := bufio.NewReader(file)
	if start, _ := buffered.Peek(len(postgres.DumpMagic)); string(start) != postgres.DumpMagic {
		file.Close()
		return nil, nil, fmt.Errorf("%s is no backup of itemcast backup. (itemcast import reads items.)", name)
	}
	return buffered, func() { file.Close() }, nil
}
