// Package process is the processor of workflows: it makes what browsers play of an item's source, and puts it into the
// item as soon as it can be fetched.
//
//	source ──▶ scratch folder ──▶ probe ─┬─ video, sound ──▶ encode ──▶ playlist with its lowest rung ──▶ all rungs,
//	                                     │                              snapshots, a progressive file, a storyboard
//	                                     └─ picture, document ──▶ picture ──▶ a rendition and a snapshot
//
// Files are made in a scratch folder, checked, staged, and then published in the transaction that changes the item. So
// a node or a program that dies leaves nothing half published: the next attempt begins again, with assets of its own.
// What an earlier run has made stays in the item until the first files of this one replace it.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/media/encode"
	"itemcast/internal/media/picture"
	"itemcast/internal/media/probe"
	"itemcast/internal/media/program"
	"itemcast/internal/problem"
	"itemcast/internal/wake"
	"itemcast/internal/workflow/machine"
)

// Config is what a Processor needs.
type Config struct {
	Files   *media.Service
	Items   *item.Service
	Scratch string // the folder of unfinished work; it may be emptied while no processor uses it
	Probe   probe.Limits
	Encode  encode.Settings
	Picture picture.Settings
	Log     *slog.Logger
	// Pauses are between the attempts to read from and write to the storage, and those with a program that was killed.
	// nil: 2 s, 10 s, 60 s.
	Pauses []time.Duration
}

// Processor implements workflow.Processor.
type Processor struct{ Config }

// New returns a processor.
func New(c Config) *Processor {
	if c.Pauses == nil {
		c.Pauses = []time.Duration{2 * time.Second, 10 * time.Second, time.Minute}
	}
	return &Processor{c}
}

// Process implements workflow.Processor. The context's actor is the system in the item's account.
func (p *Processor) Process(
	ctx context.Context, i *item.Item, _ machine.Settings, progress func(percent int),
) error {
	actor, err := account.Authorize(ctx, account.ItemsEdit)
	if err != nil {
		return err
	}
	source := p.source(i)
	if source == nil {
		return errNoSource
	}
	attempt := func() error {
		j := &job{Processor: p, account: actor.AccountID, item: i.ID, source: source, progress: progress}
		return j.attempt(ctx)
	}
	return p.retry(ctx, i.ID, isFull, func() error { return p.whileKilled(ctx, i.ID, attempt) })
}

// whileKilled repeats an attempt whose program somebody has killed, such as a kernel without memory.
func (p *Processor) whileKilled(ctx context.Context, id uuid.UUID, attempt func() error) error {
	for n := 1; ; n++ {
		err := attempt()
		killed, ok := errors.AsType[*program.Failure](err)
		switch {
		case !ok || killed.Reason != program.Interrupted || ctx.Err() != nil:
			return err
		case n > len(p.Pauses):
			return errors.Join(problem.New(problem.Unavailable, "Another program has killed %s %d times; perhaps the machine "+
				"has too little memory. Ask the operator, then start the workflow again.", killed.Name, n), err)
		}
		p.Log.Warn("a program was killed; processing begins again", "item_id", id, "error", err)
		if !wake.Pause(ctx, p.Pauses[n-1]) {
			return context.Cause(ctx)
		}
	}
}

// attempt processes the source in a scratch folder of its own. What it has staged and not published, it discards.
func (j *job) attempt(ctx context.Context) error {
	dir, release, err := openScratch(j.Scratch)
	if err != nil {
		return err
	}
	defer release()
	j.dir, j.path = dir, filepath.Join(dir, "source")
	err = j.run(ctx)
	if err != nil {
		j.discard(context.WithoutCancel(ctx))
	}
	return err
}

// MissingPrograms returns the programs that are not installed, and without which media cannot be processed.
func MissingPrograms() (names []string) {
	for _, name := range []string{"ffmpeg", "ffprobe", "vips", "vipsheader"} {
		if _, err := exec.LookPath(name); err != nil {
			names = append(names, name)
		}
	}
	return names
}

// Skips implements workflow.Processor.
func (p *Processor) Skips(i *item.Item) (reason string) {
	if p.source(i) == nil {
		return "The item has no source file that Itemcast holds."
	}
	return ""
}

var errNoSource = problem.New(problem.NotFound, "The source was removed. Upload another one.")

// source returns the last source of an item that Itemcast holds; nil: none.
func (p *Processor) source(i *item.Item) (found *item.Asset) {
	for n := range i.Assets {
		if a := &i.Assets[n]; a.Kind == item.AssetKindSource && p.Items.HeldName(a.ID, a.URL) != "" {
			found = a
		}
	}
	return found
}

// job is the processing of one source.
type job struct {
	*Processor
	account, item uuid.UUID
	source        *item.Asset
	dir           string // the scratch folder
	path          string // of the source in it
	progress      func(int)
	made          []uuid.UUID // assets and snapshots with staged files
	shown         bool        // a part has been published, so what an earlier run has made is gone
}

func (j *job) run(ctx context.Context) error {
	if err := j.patiently(ctx, func() error { return j.download(ctx) }); err != nil {
		return err
	}
	m, err := probe.File(ctx, j.path, j.Probe)
	if err != nil {
		return err
	}
	if m.Kind == probe.Image || m.Kind == probe.Document {
		return j.still(ctx, m)
	}
	return j.playable(ctx, m)
}

// patiently repeats a step that a storage or a database that is away for a while makes fail.
func (j *job) patiently(ctx context.Context, do func() error) error {
	away := func(err error) bool { return problem.IsTemporary(err) && !problem.Is(err, problem.Unavailable) }
	return j.retry(ctx, j.item, away, do)
}

// isFull reports whether the scratch folder had no room.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

// retry repeats what fails for some causes, after pauses.
func (p *Processor) retry(ctx context.Context, item uuid.UUID, may func(error) bool, do func() error) error {
	for _, pause := range p.Pauses {
		err := do()
		if err == nil || !may(err) || ctx.Err() != nil {
			return err
		}
		p.Log.Warn("processing waits, and then tries again", "item_id", item, "pause", pause, "error", err)
		if !wake.Pause(ctx, pause) {
			return context.Cause(ctx)
		}
	}
	return do()
}

// discard drops the staged files of a run that failed. What it cannot drop, the sweep does.
func (j *job) discard(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := j.Files.Discard(ctx, j.account, j.made...); err != nil {
		j.Log.Warn("cannot discard the files of a failed processing; the sweep does it", "item_id", j.item, "error", err)
	}
}

// name returns the name of the source in the storage.
func (j *job) name() (string, error) {
	name, err := url.PathUnescape(j.Items.HeldName(j.source.ID, j.source.URL))
	if err != nil {
		return "", fmt.Errorf("read the name of the source: %w", err)
	}
	return name, nil
}
