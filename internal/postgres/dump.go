package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// DumpMagic begins every dump.
const DumpMagic = "PGDMP"

// Dump writes a consistent copy of the database at a URL, in the custom format of pg_dump. Clients go on reading and
// writing meanwhile. It needs pg_dump of the server's version or newer.
func Dump(ctx context.Context, url string, out io.Writer) error {
	c, err := findClients(ctx, url, "pg_dump")
	if err != nil {
		return err
	}
	var stderr strings.Builder
	cmd := c.command(ctx, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password",
		"--dbname="+c.conninfo)
	cmd.Stdout, cmd.Stderr = out, &stderr
	return describe(cmd, cmd.Run(), &stderr)
}

// Restore fills the empty database at a URL from a dump, and then runs the statements of after, all in one transaction:
// an interrupted restore leaves nothing. It needs pg_restore and psql of the server's version or newer.
//
// pg_restore writes a script, and psql runs it. The script has no COMMIT of its own. It ends with ours, so that psql
// rolls back when the script breaks off, even if this process dies.
func Restore(ctx context.Context, url string, dump io.Reader, after string) error {
	c, err := findClients(ctx, url, "pg_restore", "psql")
	if err != nil {
		return err
	}
	var restoreErrors, runErrors strings.Builder
	psql := []string{"--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--dbname=" + c.conninfo}
	run := c.command(ctx, "psql", psql...)
	run.Stderr = &runErrors
	script, err := run.StdinPipe()
	if err != nil {
		return err
	}
	if err := run.Start(); err != nil {
		return fmt.Errorf("run psql: %w", err)
	}
	restore := c.command(ctx, "pg_restore", "--file=-", "--no-owner", "--no-privileges")
	restore.Stdin, restore.Stdout, restore.Stderr = dump, script, &restoreErrors
	_, restoreErr := io.WriteString(script, "BEGIN;\n")
	if restoreErr == nil {
		restoreErr = restore.Run()
	}
	if restoreErr == nil {
		// The dump sets search_path to nothing.
		_, restoreErr = io.WriteString(script, "\nRESET search_path;\n"+after+"\nCOMMIT;\n")
	}
	script.Close()
	// An error of psql comes first: it is why pg_restore could not write on.
	if err := describe(run, run.Wait(), &runErrors); err != nil {
		return err
	}
	if restoreErr != nil {
		return describe(restore, restoreErr, &restoreErrors)
	}
	// Otherwise the first queries are planned without statistics. An error does not count: the data is restored.
	_ = c.command(ctx, "psql", append(psql, "--command=ANALYZE")...).Run()
	return nil
}

// describe adds the first lines that a program wrote to standard error to its error.
func describe(cmd *exec.Cmd, err error, stderr *strings.Builder) error {
	if err == nil {
		return nil
	}
	const maxLines = 3
	lines := strings.SplitN(strings.TrimSpace(stderr.String()), "\n", maxLines+1)
	text := strings.Join(lines[:min(len(lines), maxLines)], "; ")
	if _, exited := errors.AsType[*exec.ExitError](err); exited && text != "" {
		return errors.New(text) // pg_dump and pg_restore begin it with their names
	}
	return fmt.Errorf("run %s: %w", cmd.Path, err)
}
