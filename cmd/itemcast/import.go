package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"itemcast/internal/item"
	"itemcast/internal/node"
	"itemcast/internal/problem"
)

const (
	// exitRejected is neither success nor failure. Shells and Go programs use 1 and 2 for errors.
	exitRejected = 3

	maxLinesShown = 20 // rejected lines that are printed
)

type importCommand struct {
	File         string `arg:"" help:"File of items: JSON lines, a JSON array, CSV or TSV, also compressed by gzip. - is standard input."`
	Key          string `help:"Name of the import, to resume it. Without one, a file is recognized by its content, and a pipe always begins at its first line." placeholder:"NAME"`
	CreateFields bool   `help:"Create metadata fields for unknown names (the default). Without it, lines with unknown names are rejected." default:"true" negatable:""`
	KeepTimes    bool   `help:"Keep created_at, updated_at and published_at of exported items, to restore a backup."`
	TagSeparator string `help:"Text between the tags in a cell of CSV or TSV; a comma by default." default:"," placeholder:"TEXT"`
	Again        bool   `help:"Start at the first line, even if an earlier run imported it; lines without an id then create new items."`
}

// Help is printed by --help.
func (*importCommand) Help() string {
	return `The content decides the format, not the file's name. The text is UTF-8, or UTF-16 with a byte order mark.

  JSON lines  an item input or an exported document on each line
  JSON array  of item inputs or exported documents
  CSV, TSV    with a header, as spreadsheets save it; the column name is required

The columns of a table that are fields of items have their names (player_url or Player URL); all others are ` +
		`metadata, as is a column named metadata.KEY. Tags stand in one cell, separated by commas, or as a JSON array. ` +
		`An empty cell is an absent value. In an item that exists (by the column id), fields without a column stay as they ` +
		`are.

Lines are imported in batches of 100. An invalid line is rejected and reported with its number ` +
		`and all its faults; the import continues. Run the same command again to resume an interrupted import. ` +
		`A file whose import is complete is not imported again.

The import creates a metadata field for each unknown name: the name becomes its label and, in snake case, its key ` +
		`(releaseDate and Release Date become release_date). Its kind is number, bool or date (YYYY-MM-DD) if all values ` +
		`in the file are, else text. From a pipe, the next 1,000 lines decide; a date field becomes a text field when a ` +
		`later value is no date. Create choice fields yourself, before the import.

To restore the items of a backup (itemcast export --with-fields backup.ndjson), import it with --keep-times. The ` +
		`ids, the times, the metadata and its fields are those of the backup. Revisions follow those of the backup, ` +
		`created_by is empty, and workflow profiles must exist. Workflows that had not ended begin again.

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
		exit(c, exitRejected, "%s", rejection(&report))
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
		done, what := func(c item.ImportCount) int64 { return c.Line }, " lines"
		if lines.count < 0 {
			done, what = item.ImportCount.Read, " items"
		}
		progress := newProgress(c.err, "importing", what, lines.count)
		defer progress.end()
		report, err = n.Items.Import(ctx, lines, item.ImportOptions{
			Key: key, Again: i.Again, CreateFields: i.CreateFields, KeepTimes: i.KeepTimes, TagSeparator: i.TagSeparator,
			Gzip: true, Reopen: lines.reopen(), Progress: func(c item.ImportCount) { progress.at(done(c)) },
		})
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
			fmt.Fprintf(c.err, "… and %s more\n", plural(int(r.Run().Rejected)-maxLinesShown, r.Unit, r.Unit+"s"))
			break
		}
		line := fmt.Sprintf("line %d", e.Line)
		if e.Element > 0 {
			line += fmt.Sprintf(", element %d", e.Element)
		}
		if len(e.Error.Faults) == 0 {
			fmt.Fprintf(c.err, "%s: %s\n", line, e.Error.Detail)
		}
		for _, fault := range e.Error.Faults {
			fmt.Fprintf(c.err, "%s: %s%s\n", line, placeOf(fault, r.Unit), fault.Detail)
		}
	}
	run := r.Run()
	switch {
	case r.ResumedAfter > 0 && done && run.Read() == 0:
		fmt.Fprintf(c.out, "%s was imported before: there is nothing to do. "+
			"(--again imports it again; %ss without an id then create new items.)\n", i.name(), r.Unit)
		fmt.Fprintf(c.out, "Imported then: %s\n", counted(r.ImportCount, r.Unit))
	case r.ResumedAfter > 0:
		fmt.Fprintf(c.out, "Resumed after %s %d, where an earlier run stopped. (--again begins at the first.)\n",
			place(r), r.ResumedAfter)
		fmt.Fprintf(c.out, "This run: %s, in %s\nOverall:  %s\n", counted(run, r.Unit), took, counted(r.ImportCount, r.Unit))
	case done || run.Read() > 0:
		fmt.Fprintf(c.out, "%s, in %s\n", counted(run, r.Unit), took)
	}
	for _, f := range r.Fields {
		fmt.Fprintf(c.out, "Created the metadata field %s (%s) for %q.\n", f.Key, f.Kind, f.Label)
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(c.out, "Ignored the columns that only the server sets: %s. (Name a column metadata.%s to import a "+
			"field of your own.)\n", strings.Join(r.Ignored, ", "), r.Ignored[0])
	}
}

func counted(c item.ImportCount, unit string) string {
	return fmt.Sprintf("%s: %d created, %d updated, %d unchanged, %d rejected", plural(int(c.Read()), unit, unit+"s"),
		c.Created, c.Updated, c.Unchanged, c.Rejected)
}

// rejection says how many entries were rejected, and what to do.
func rejection(r *item.ImportReport) string {
	all, rejected, now := int(r.Read()), int(r.Rejected), int(r.Run().Rejected)
	text, imported := fmt.Sprintf("%d of %s", rejected, plural(all, r.Unit, r.Unit+"s")), "; the rest is imported"
	was, correct := " were rejected", fmt.Sprintf("Correct the rejected %ss and import them as a separate file.", r.Unit)
	if rejected == 1 {
		was, correct = " was rejected", fmt.Sprintf("Correct the rejected %s and import it as a separate file.", r.Unit)
	}
	if rejected == all {
		text, imported = plural(all, r.Unit, r.Unit+"s"), "; nothing is imported"
	}
	return fmt.Sprintf("%s%s, %d by this run%s. %s", text, was, now, imported, correct)
}

// placeOf names the place of a fault, followed by a space; "" for the whole entry. A row has columns, and JSON pointers
// are for JSON only.
func placeOf(fault problem.Fault, unit string) string {
	at := strings.TrimPrefix(fault.Pointer+" ", "# ")
	if unit == "row" {
		at = strings.TrimPrefix(strings.TrimPrefix(at, "#/"), "metadata/")
	}
	if plain, err := url.PathUnescape(at); err == nil {
		at = plain // a name such as "Release Date"
	}
	return at
}

// place is what the report's positions number: elements of a JSON array, else lines.
func place(r *item.ImportReport) string {
	if r.Unit == "element" {
		return r.Unit
	}
	return "line"
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
	case key == "" && r.Unit != "line":
		return fmt.Sprintf("after line %d. (With --key=NAME, an import from a pipe resumes by itself.)", r.Line)
	case key == "":
		return fmt.Sprintf("after line %d; send the rest, as tail -n +%d does. "+
			"(With --key=NAME, an import from a pipe resumes by itself.)", r.Line, r.Line+1)
	case i.Again:
		return fmt.Sprintf("after line %d; run the command again without --again to resume", r.Line)
	default:
		return fmt.Sprintf("after line %d; run the command again to resume", r.Line)
	}
}
