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
	// exitRejected: neither "every line is in" nor "it failed", and free of the 1 and 2 that shells and Go programs give for mistakes.
	exitRejected = 3

	linesShown = 20
)

type importCommand struct {
	File         string `arg:"" help:"NDJSON: one item input a line, or one exported document. - is standard input."`
	Key          string `help:"A name for the import, by which it goes on where it stopped. Without one, a file is known by its content, and what comes through a pipe begins anew each time." placeholder:"NAME"`
	CreateFields bool   `help:"Make metadata fields for keys that the account does not know. On by default; with no-, such lines are rejected. The first value of a key decides: number, bool or text. A date makes a text field, for a later value may be none: make fields of kind date or choice yourself, before." default:"true" negatable:""`
	Again        bool   `help:"Import from the first line, whatever was imported before: lines without an id make new items once more."`
}

// Help is what --help says beside the flags.
func (*importCommand) Help() string {
	return `Lines are imported a hundred at a time. A bad line is rejected, and told with its number and all its faults; the rest goes on. ` +
		`An import that was interrupted goes on where it stopped when the same command is run again, and a file that is in already is not imported twice.

Exit codes:

  0    every line is imported, by this run or an earlier one
  3    lines were rejected, by this run or an earlier one; the others are imported
  130  interrupted
  1    failed`
}

// Run imports lines, as the operator, into the first account. A running server's subscribers and hooks are told of every item.
func (i *importCommand) Run(ctx context.Context, c *console, d *database) error {
	began := time.Now()
	report, key, err := i.run(ctx, c, d)
	done := err == nil
	i.tell(c, &report, done, seconds(time.Since(began)))
	switch {
	case done && report.Rejected > 0:
		exit(c, exitRejected, "%d of %d lines were rejected, %d of them by this run; the others are imported. Mend those lines and import them as a file of their own.",
			report.Rejected, report.Read(), report.Run().Rejected)
	case !done && ctx.Err() != nil:
		exit(c, exitInterrupted, "interrupted %s", i.goOn(&report, key))
	case !done && report.Line > 0:
		return fmt.Errorf("%w (stopped %s)", explain(err), i.goOn(&report, key))
	}
	return err
}

func (i *importCommand) run(ctx context.Context, c *console, d *database) (report item.ImportReport, key string, err error) {
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

// tell prints the rejected lines, and what was done.
func (i *importCommand) tell(c *console, r *item.ImportReport, done bool, took time.Duration) {
	for n, e := range r.Errors {
		if n == linesShown {
			fmt.Fprintf(c.err, "… and %d more rejected lines\n", r.Run().Rejected-linesShown)
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
		fmt.Fprintf(c.out, "%s was imported before, to its last line: there is nothing to do. (--again imports it once more; lines without an id then make new items.)\n", i.name())
		fmt.Fprintf(c.out, "Imported then: %s\n", counted(r.ImportCount))
	case r.ResumedAfter > 0:
		fmt.Fprintf(c.out, "Went on after line %d, which an earlier run had reached. (--again begins at line 1.)\n", r.ResumedAfter)
		fmt.Fprintf(c.out, "This run: %s, in %s\nOverall:  %s\n", counted(run), took, counted(r.ImportCount))
	case done || run.Read() > 0:
		fmt.Fprintf(c.out, "%s, in %s\n", counted(run), took)
	}
}

func counted(c item.ImportCount) string {
	return fmt.Sprintf("%d lines: %d created, %d updated, %d unchanged, %d rejected", c.Read(), c.Created, c.Updated, c.Unchanged, c.Rejected)
}

func (i *importCommand) name() string {
	if i.File == "-" {
		return "Standard input"
	}
	return i.File
}

// goOn says where an import stopped, and how the rest gets in.
func (i *importCommand) goOn(r *item.ImportReport, key string) string {
	switch {
	case r.Line == 0:
		return "before a line was imported"
	case key == "":
		return fmt.Sprintf("after line %d; send what follows it, as tail -n +%d does. (With --key=NAME an import from a pipe goes on by itself.)", r.Line, r.Line+1)
	case i.Again:
		return fmt.Sprintf("after line %d; run the command again without --again to go on from there", r.Line)
	default:
		return fmt.Sprintf("after line %d; run the command again to go on from there", r.Line)
	}
}
