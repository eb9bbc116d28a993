package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"itemcast/internal/account"
	"itemcast/internal/item"
)

const (
	defaultAddr = "127.0.0.1:8080"
	linesShown  = 20
)

type importCommand struct {
	File         string `arg:"" help:"NDJSON: one item input a line, or one exported document." type:"existingfile"`
	CreateFields bool   `help:"Make metadata fields for keys that the account does not know." default:"true" negatable:""`
	Again        bool   `help:"Import the file from its beginning, even if it was imported before."`
}

// Run imports a file, as the operator, into the first account. A running server's subscribers and hooks are told of every item.
func (i *importCommand) Run(ctx context.Context, c *console, d *database) error {
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	key, size, err := fileKey(file)
	if err != nil {
		return err
	}
	if i.Again {
		key += time.Now().Format(" 2006-01-02T15:04:05.000")
	}
	return d.asOperator(ctx, c, func(ctx context.Context, n *node) error {
		bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(c.err), progressbar.OptionShowBytes(true),
			progressbar.OptionSetDescription("importing"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		reader := progressbar.NewReader(file, bar)
		report, err := n.items.Import(ctx, &reader, item.ImportOptions{Key: "file " + key, CreateFields: i.CreateFields})
		_ = bar.Finish()
		i.tell(c, report)
		if err != nil {
			return fmt.Errorf("interrupted after line %d; run the command again to go on from there: %w", report.Line, err)
		}
		return n.sequencer.Drain(ctx)
	})
}

func (i *importCommand) tell(c *console, r item.ImportReport) {
	for n, e := range r.Errors {
		if n == linesShown {
			_, _ = fmt.Fprintf(c.err, "… and %d more rejected lines\n", len(r.Errors)-linesShown)
			break
		}
		_, _ = fmt.Fprintf(c.err, "line %d: %s\n", e.Line, e.Error.Detail)
		for _, fault := range e.Error.Faults {
			_, _ = fmt.Fprintf(c.err, "    %s %s\n", fault.Pointer, fault.Detail)
		}
	}
	if r.ResumedAfter > 0 {
		_, _ = fmt.Fprintf(c.out, "Went on after line %d, which an earlier import had reached (--again starts over).\n", r.ResumedAfter)
	}
	_, _ = fmt.Fprintf(c.out, "%d lines: %d created, %d updated, %d unchanged, %d rejected\n", r.Read(), r.Created, r.Updated, r.Unchanged, r.Rejected)
}

// fileKey names a file by its content, so that the same file goes on where it stopped, whatever it is called.
func fileKey(file *os.File) (key string, size int64, err error) {
	hash := sha256.New()
	if size, err = io.Copy(hash, file); err != nil {
		return "", 0, err
	}
	_, err = file.Seek(0, io.SeekStart)
	return hex.EncodeToString(hash.Sum(nil)), size, err
}

type exportCommand struct {
	File   string   `arg:"" optional:"" help:"Where to write; - or nothing is standard output." default:"-"`
	Search string   `help:"Only items that a full-text search finds."`
	Tags   []string `help:"Only items with any of these tags."`
}

// Run exports every item of the first account that passes the filters.
func (e *exportCommand) Run(ctx context.Context, c *console, d *database) (err error) {
	out := c.out
	if e.File != "-" {
		file, err := os.Create(e.File)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		out = file
	}
	return d.asOperator(ctx, c, func(ctx context.Context, n *node) error {
		buffered := bufio.NewWriterSize(out, 1<<20)
		bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(c.err), progressbar.OptionSetDescription("exporting items"),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
		err := n.items.Export(ctx, buffered, item.Filter{Search: e.Search, Tags: e.Tags}, func(items int64) { _ = bar.Set64(items) })
		_ = bar.Finish()
		if err != nil {
			return err
		}
		return buffered.Flush()
	})
}

// asOperator runs fn as the person at the machine, on the database of a running server or on its own.
func (d *database) asOperator(ctx context.Context, c *console, fn func(ctx context.Context, n *node) error) error {
	o, err := d.open(ctx, c.log, true)
	if err != nil {
		return err
	}
	defer o.close()
	publicURL, err := o.publicURL(ctx, d)
	if err != nil {
		return err
	}
	n, err := wire(ctx, o, publicURL, c.log)
	if err != nil {
		return err
	}
	defer n.close()
	ctx, err = account.Operator(ctx, o.pool)
	if err != nil {
		return fmt.Errorf("start the server once before: %w", err)
	}
	return fn(ctx, n)
}
