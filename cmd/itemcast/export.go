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

	Search         string            `help:"Only items that match a full-text search. As in a web search, all words must match, the last one as a beginning; use \"a phrase\", or, -word." placeholder:"TEXT"`
	Tags           []string          `help:"Only items with any of these tags. Separate tags with commas, or repeat the flag; write a comma in a tag as \\,"`
	Type           []item.ItemType   `help:"Only items of any of these types: ${enum}." enum:"video,audio,image,document,live"`
	Privacy        []item.Privacy    `help:"Only items with any of these privacies: ${enum}." enum:"public,unlisted,private"`
	WorkflowStatus []string          `help:"Only items with any of these workflow statuses, separated by commas; write a comma in one as \\,"`
	CreatedAfter   *instant          `help:"Only items created after a time, such as 2026-01-31T12:00:00Z." placeholder:"TIME"`
	CreatedBefore  *instant          `help:"Only items created before a time." placeholder:"TIME"`
	UpdatedAfter   *instant          `help:"Only items changed after a time." placeholder:"TIME"`
	Metadata       map[string]string `help:"Only items whose metadata field KEY has VALUE. Repeat it to require several." mapsep:"none" placeholder:"KEY=VALUE"`
	Sort           item.Sort         `help:"Order: ${enum}." enum:"created_at,-created_at,updated_at,-updated_at,name,-name,relevance" default:"created_at"`

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

func (e *exportCommand) filter() item.Filter {
	return item.Filter{Search: e.Search, Tags: e.Tags, Types: e.Type, Privacies: e.Privacy,
		WorkflowStatuses: e.WorkflowStatus,
		CreatedAfter:     (*time.Time)(e.CreatedAfter), CreatedBefore: (*time.Time)(e.CreatedBefore),
		UpdatedAfter: (*time.Time)(e.UpdatedAfter),
		Metadata:     e.Metadata}
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
		progress := newProgress(progressOut, "exporting", "items", -1)
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

// faultsOf returns the faults of an error of invalid input.
func faultsOf(err error) (faults []string) {
	if p := problem.Of(err); p != nil {
		for _, f := range p.Faults {
			faults = append(faults, cmp.Or(f.Parameter, strings.TrimPrefix(f.Pointer, "#/"))+" "+f.Detail)
		}
	}
	return faults
}
