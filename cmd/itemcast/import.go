package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"itemcast/internal/item"
	"itemcast/internal/node"
)

const (
	// exitRejected is neither success nor failure. Shells and Go programs use 1 and 2 for errors.
	exitRejected = 3

	maxLinesShown = 20 // rejected lines that are printed
)

type importCommand struct {
	File         string `arg:"" help:"NDJSON file: an item input or an exported document on each line. - is standard input."`
	Key          string `help:"Name of the import, to resume it. Without one, a file is recognized by its content, and a pipe always begins at its first line." placeholder:"NAME"`
	CreateFields bool   `help:"Create metadata fields for unknown keys (the default). Without it, lines with unknown keys are rejected." default:"true" negatable:""`
	Again        bool   `help:"Start at the first line, even if an earlier run imported it; lines without an id then create new items."`
}

// Help is printed by --help.
func (*importCommand) Help() string {
	return `Lines are imported in batches of 100. An invalid line is rejected and reported with its number ` +
		`and all its faults; the import continues. Run the same command again to resume an interrupted import. ` +
		`A file whose import is complete is not imported again.

A metadata field that the import creates has the kind number, bool or text, as its first value. ` +
		`Create date and choice fields yourself, before the import.

Exit codes:

  0    every line is imported, by this run or an earlier one
  3    lines were rejected, by this run or an earlier one; the others are imported
  130  interrupted
  1    failed`
}

// Run imports lines into the first account, as the operator. Subscribers and hooks of a running server receive every
// change.
func (i *importCommand) Run(ctx context.Context, c *console, d *database) error {
	began := time.Now()
	report, key, err := i.run(ctx, c, d)
	done := err == nil
	i.print(c, &report, done, rounded(time.Since(began)))
	switch {
	case done && report.Rejected > 0:
		exit(c, exitRejected, "%d of %d lines were rejected, %d of them by this run; the others are imported. "+
			"Correct the rejected lines and import them as a separate file.",
			report.Rejected, report.Read(), report.Run().Rejected)
	case !done && ctx.Err() != nil:
		exit(c, exitInterrupted, "interrupted %s", i.resumption(&report, key))
	case !done && report.Line > 0:
		return fmt.Errorf("%w (stopped %s)", explain(err), i.resumption(&report, key))
	}
	return err
}

func (i *importCommand) run(ctx context.Context, c *console, d *database) (report item.ImportReport, key string,
	err error) {
	lines, err := openLines(ctx, i.File)
	if err != nil {
		return report, "", err
	}
	defer lines.Close()
	key = lines.key
	if i.Key != "" {
		key = "name " + i.Key
	}
	err = d.asOperator(ctx, c, func(ctx context.Context, n *node.Node) (err error) {
		progress := newProgress(c.err, "importing", "lines", lines.count)
		defer progress.end()
		report, err = n.Items.Import(ctx, lines, item.ImportOptions{Key: key, Again: i.Again, CreateFields: i.CreateFields,
			Progress: func(done item.ImportCount) { progress.at(done.Line) }})
		if err != nil {
			return err
		}
		return n.Sequencer.Drain(ctx)
	})
	return report, key, err
}

// print prints the rejected lines and the counts.
func (i *importCommand) print(c *console, r *item.ImportReport, done bool, took time.Duration) {
	for n, e := range r.Errors {
		if n == maxLinesShown {
			fmt.Fprintf(c.err, "… and %d more rejected lines\n", r.Run().Rejected-maxLinesShown)
			break
		}
		if len(e.Error.Faults) == 0 {
			fmt.Fprintf(c.err, "line %d: %s\n", e.Line, e.Error.Detail)
		}
		for _, fault := range e.Error.Faults {
			at := strings.TrimPrefix(fault.Pointer+" ", "# ") // "#" is the whole line
			fmt.Fprintf(c.err, "line %d: %s%s\n", e.Line, at, fault.Detail)
		}
	}
	run := r.Run()
	switch {
	case r.ResumedAfter > 0 && done && run.Read() == 0:
		fmt.Fprintf(c.out, "%s was imported before: there is nothing to do. "+
			"(--again imports it again; lines without an id then create new items.)\n", i.name())
		fmt.Fprintf(c.out, "Imported then: %s\n", counted(r.ImportCount))
	case r.ResumedAfter > 0:
		fmt.Fprintf(c.out, "Resumed after line %d, where an earlier run stopped. (--again begins at line 1.)\n",
			r.ResumedAfter)
		fmt.Fprintf(c.out, "This run: %s, in %s\nOverall:  %s\n", counted(run), took, counted(r.ImportCount))
	case done || run.Read() > 0:
		fmt.Fprintf(c.out, "%s, in %s\n", counted(run), took)
	}
}

func counted(c item.ImportCount) string {
	return fmt.Sprintf("%d lines: %d created, %d updated, %d unchanged, %d rejected", c.Read(), c.Created, c.Updated,
		c.Unchanged, c.Rejected)
}

func (i *importCommand) name() string {
	if i.File == "-" {
		return "Standard input"
	}
	return i.File
}

// resumption describes where an import stopped and how to import the rest.
func (i *importCommand) resumption(r *item.ImportReport, key string) string {
	switch {
	case r.Line == 0:
		return "before a line was imported"
	case key == "":
		return fmt.Sprintf("after line %d; send the rest, as tail -n +%d does. "+
			"(With --key=NAME, an import from a pipe resumes by itself.)", r.Line, r.Line+1)
	case i.Again:
		return fmt.Sprintf("after line %d; run the command again without --again to resume", r.Line)
	default:
		return fmt.Sprintf("after line %d; run the command again to resume", r.Line)
	}
}
