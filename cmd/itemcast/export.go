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
)

type exportCommand struct {
	File string `arg:"" optional:"" help:"Where to write; - or nothing is standard output. A file is there once it is complete, and an older one keeps its place until then." default:"-"`

	Search         string            `help:"Only items that a full-text search finds: all words must occur; \"a phrase\", or, and -word work as in a web search." placeholder:"TEXT"`
	Tags           []string          `help:"Only items with any of these tags."`
	Type           []item.ItemType   `help:"Only items of any of these types: ${enum}." enum:"video,audio,image,document,live"`
	Privacy        []item.Privacy    `help:"Only items with any of these privacies: ${enum}." enum:"public,unlisted,private"`
	WorkflowStatus []string          `help:"Only items with any of these workflow statuses."`
	CreatedAfter   *instant          `help:"Only items created after a time, such as 2026-01-31T12:00:00Z." placeholder:"TIME"`
	CreatedBefore  *instant          `help:"Only items created before a time." placeholder:"TIME"`
	UpdatedAfter   *instant          `help:"Only items changed after a time." placeholder:"TIME"`
	Metadata       map[string]string `help:"Only items whose metadata field KEY is VALUE; several must all hold." mapsep:"none" placeholder:"KEY=VALUE"`
	Sort           item.Sort         `help:"The order: ${enum}." enum:"created_at,-created_at,updated_at,-updated_at,name,-name" default:"created_at"`
}

// instant is a time as REST takes it.
type instant time.Time

// UnmarshalText reads RFC 3339.
func (i *instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil {
		return fmt.Errorf("%q is no time (RFC 3339, such as 2026-01-31T12:00:00Z)", text)
	}
	*i = instant(t)
	return nil
}

func (e *exportCommand) filter() item.Filter {
	return item.Filter{Search: e.Search, Tags: e.Tags, Types: e.Type, Privacies: e.Privacy, WorkflowStatuses: e.WorkflowStatus,
		CreatedAfter: (*time.Time)(e.CreatedAfter), CreatedBefore: (*time.Time)(e.CreatedBefore), UpdatedAfter: (*time.Time)(e.UpdatedAfter),
		Metadata: e.Metadata}
}

// Run exports every item of the first account that passes the filters.
func (e *exportCommand) Run(ctx context.Context, c *console, d *database) error {
	// A reader that goes away, as head does, is an error of Write then; the signal would leave an embedded Postgres behind.
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
		fmt.Fprintf(c.err, "exported %d items, %d bytes, in %s\n", items, out.bytes, seconds(time.Since(began)))
		return nil
	case ctx.Err() != nil:
		exit(c, exitInterrupted, "interrupted after %d items; %s", items, out.left())
	case errors.Is(err, syscall.EPIPE):
		return errors.New("whoever read the export went away before its end")
	}
	return namingFaults(err)
}

func (e *exportCommand) run(ctx context.Context, c *console, d *database, out *destination) (items int64, err error) {
	watcher := c.err
	if isTerminal(out.to) {
		watcher = io.Discard // the items themselves show how far it is
	}
	err = d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) error {
		progress := newProgress(watcher, "exporting", "items", -1)
		defer progress.end()
		err := n.Items.Export(ctx, out, e.filter(), &item.ExportOptions{Sort: e.Sort, Progress: func(done int64) {
			items = done
			progress.at(done)
		}})
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

// namingFaults names what is wrong with an input, as "metadata.KEY is no metadata field of this account".
func namingFaults(err error) error {
	if faults := faultsOf(err); len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return err
}

// faultsOf tells every fault of an input, each in a sentence.
func faultsOf(err error) (faults []string) {
	if told := problem.Of(err); told != nil {
		for _, f := range told.Faults {
			faults = append(faults, cmp.Or(f.Parameter, strings.TrimPrefix(f.Pointer, "#/"))+" "+f.Detail)
		}
	}
	return faults
}
