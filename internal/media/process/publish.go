package process

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/problem"
	"itemcast/internal/workflow/lease"
)

const parallelFiles = 4 // that are stored at once

// newID returns an id for an asset or a snapshot whose files are staged next.
func (j *job) newID() uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	j.made = append(j.made, id)
	return id
}

// staged is a file of the scratch folder that is to be stored.
type staged struct {
	path        string // in the scratch folder
	name        string // in the asset's folder
	contentType string
}

// stage stores files of an asset. Nobody can fetch them yet.
func (j *job) stage(ctx context.Context, asset uuid.UUID, files ...staged) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelFiles)
	for _, f := range files {
		group.Go(func() error { return j.patiently(ctx, func() error { return j.stageFile(ctx, asset, f) }) })
	}
	return group.Wait()
}

func (j *job) stageFile(ctx context.Context, asset uuid.UUID, f staged) error {
	file, err := os.Open(filepath.Join(j.dir, f.path))
	if err != nil {
		return fmt.Errorf("read what was made: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("measure what was made: %w", err)
	}
	_, err = j.Files.Stage(ctx, j.account, media.File{Asset: asset, Name: f.name, ContentType: f.contentType,
		Size: info.Size()}, info.Size(), file)
	return err
}

// publish puts files into the item, in one change. The first call also takes out what an earlier run has made. It ends
// the job if the source has been removed or replaced meanwhile, or another node has taken the processing over.
func (j *job) publish(ctx context.Context, m item.Media) error {
	err := j.patiently(ctx, func() error {
		_, err := j.Items.ChangeMedia(ctx, j.item, func(ctx context.Context, tx pgx.Tx, held item.Held) (item.Media, error) {
			if !slices.ContainsFunc(held.Assets, func(a item.Asset) bool { return a.ID == j.source.ID }) {
				return item.Media{}, problem.New(problem.Conflict, "The source was removed while it was being processed.")
			}
			if err := lease.Check(ctx, tx); err != nil {
				return item.Media{}, err
			}
			change := m
			if !j.shown {
				change.Remove = j.derived(held.Item)
				if err := j.measure(ctx, tx, m.Set.Duration); err != nil {
					return item.Media{}, err
				}
			}
			return change, j.Files.Publish(ctx, tx, j.account, j.item, ids(m)...)
		})
		return err
	})
	if err == nil {
		j.shown = true
	}
	return err
}

// measure records the length of the source, which counts for the account's minutes. A still has none.
func (j *job) measure(ctx context.Context, tx pgx.Tx, seconds *float64) error {
	if seconds == nil {
		return nil
	}
	length := time.Duration(*seconds * float64(time.Second))
	return j.Files.Measure(ctx, tx, j.account, j.source.ID, media.Measures{Length: length})
}

// assetOf returns the asset that a file is the address of. A file's type is that of its name, unless it has one.
func (j *job) assetOf(kind item.AssetKind, f media.File, width, height int) item.Asset {
	f.ContentType = cmp.Or(f.ContentType, contentType(f.Name))
	a := j.Files.AssetOf(f, kind)
	a.Width, a.Height = pixels(width), pixels(height)
	return a
}

func ids(m item.Media) (found []uuid.UUID) {
	for _, a := range m.Add {
		found = append(found, a.ID)
	}
	for _, s := range m.AddSnapshots {
		found = append(found, s.ID)
	}
	return found
}

// derived returns what an earlier processing has made of the item, but not what people have uploaded.
func (j *job) derived(i *item.Item) (found []uuid.UUID) {
	for _, a := range i.Assets {
		if a.Kind != item.AssetKindSource && isMade(j.Items.HeldName(a.ID, a.URL)) {
			found = append(found, a.ID)
		}
	}
	for _, s := range i.Snapshots {
		if isMade(j.Items.HeldName(s.ID, s.URL)) {
			found = append(found, s.ID)
		}
	}
	return found
}

func isMade(name string) bool { return strings.HasPrefix(name, media.MadePrefix) }

// contentTypes are ours. The system's table is never asked: it may take a .ts file for a translation.
var contentTypes = map[string]string{
	".m3u8": "application/vnd.apple.mpegurl", ".mp4": "video/mp4", ".m4s": "video/iso.segment", ".m4a": "audio/mp4",
	".jpg": "image/jpeg", ".webp": "image/webp", ".vtt": "text/vtt; charset=utf-8",
}

func contentType(name string) string { return contentTypes[filepath.Ext(name)] }
