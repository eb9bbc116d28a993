package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"itemcast/internal/item"
	"itemcast/internal/node"
	"itemcast/internal/problem"
	"itemcast/internal/validate"
)

type exportCommand struct {
	File string `arg:"" optional:"" help:"File to write, compressed if it ends in .gz; - is standard output. Only a complete export replaces an existing file." default:"-"`

	itemFlags
	Sort item.Sort `help:"Order: ${enum}." enum:"created_at,-created_at,updated_at,-updated_at,name,-name,relevance" default:"created_at"`

	WithFields bool `help:"Also write the metadata fields, each on a line before the items, so that an import creates them."`
}

// instant is a time in the format of the REST API.
type instant time.Time

// UnmarshalText parses RFC 3339.
func (i *instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || validate.Time(t) != "" {
		return fmt.Errorf("%q is not a time in the years 1 to 9999; write it as 2026-01-31T12:00:00Z (RFC 3339)", text)
	}
	*i = instant(t)
	return nil
}

// Run exports the items of the first account that pass the filters.
func (e *exportCommand) Run(ctx context.Context, c *console, d *database) error {
	// Catch SIGPIPE, which would end the process and leave its embedded Postgres running. When a reader such as head
	// closes the pipe, Write returns an error instead.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	out, err := openDestination(e.File, c.out)
	if err != nil {
		return err
	}
	began := time.Now()
	items, err := e.run(ctx, c, d, out)
	out.discard()
	switch {
	case err == nil:
		fmt.Fprintf(c.err, "exported %d items, %d bytes, in %s\n", items, out.bytes, rounded(time.Since(began)))
		return nil
	case ctx.Err() != nil:
		exit(c, exitInterrupted, "interrupted after %d items; %s", items, out.stateIfDiscarded())
	case errors.Is(err, syscall.EPIPE):
		return errors.New("the reader closed the pipe before the export was complete")
	}
	return namingFaults(err)
}

func (e *exportCommand) run(ctx context.Context, c *console, d *database, out *destination) (items int64, err error) {
	progressOut := c.err
	if isTerminal(out.to) {
		progressOut = io.Discard // the printed items show the progress
	}
	err = d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		progress := newProgress(progressOut, "exporting", " items", -1)
		defer progress.end()
		options := item.ExportOptions{Sort: e.Sort, Fields: e.WithFields, Progress: func(done int64) {
			items = done
			progress.at(done)
		}}
		err := n.Items.Export(ctx, out, e.filter(), &options)
		if err != nil {
			return err
		}
		if err := out.commit(); err != nil {
			return fmt.Errorf("cannot write %s: %w", e.File, err)
		}
		return nil
	})
	return items, err
}

// namingFaults returns the faults of invalid input as one error, each with its field's name. Other errors are returned
// as they are.
func namingFaults(err error) error {
	if faults := faultsOf(err); len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return err
}

// faultsOf returns the faults of an error of invalid input. Where the API names an operation, a shell needs a command.
func faultsOf(err error) (faults []string) {
	if p := problem.Of(err); p != nil {
		for _, f := range p.Faults {
			detail := strings.Replace(f.Detail, item.ListFields, "itemcast export --with-fields shows them", 1)
			faults = append(faults, cmp.Or(f.Parameter, strings.TrimPrefix(f.Pointer, "#/"))+" "+detail)
		}
	}
	return faults
}
