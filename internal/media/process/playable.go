package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/media/encode"
	"itemcast/internal/media/picture"
	"itemcast/internal/media/probe"
)

const (
	encodeShare = 94 // percent of the work that is encoding
	picturePart = 2  // percent of each part that follows
)

// playable processes a video or a sound. A viewer can play it when the lowest rung is there.
func (j *job) playable(ctx context.Context, m *probe.Media) error {
	ladder := encode.Plan(m, j.Encode)
	list := &hls{job: j, media: m, id: j.newID(), rungs: max(1, len(ladder.Rungs))}
	progress := func(percent int) { j.progress(percent * encodeShare / 100) }
	err := ladder.Run(ctx, j.path, j.dir, progress, func(r encode.Rendition) error {
		if err := list.add(ctx, r); err != nil {
			return err
		}
		if list.published == 1 { // the first rung: what remains of the wait goes into its snapshots
			return j.snapshots(ctx, ladder, m)
		}
		return nil
	})
	if err != nil {
		return err
	}
	j.progress(encodeShare)
	if err := j.progressive(ctx, ladder, list.renditions); err != nil {
		return err
	}
	j.progress(encodeShare + picturePart)
	if m.Picture != nil {
		return j.storyboard(ctx, ladder, list.lowest())
	}
	return nil
}

// hls is the playlist of an item. It grows by one rung at a time. Its files stay at their addresses, so each stage has
// a master playlist of its own.
type hls struct {
	*job
	media      *probe.Media
	id         uuid.UUID
	rungs      int // of the picture, or 1 for a sound
	renditions []encode.Rendition
	published  int
}

// add stores a rendition, and publishes the playlist that has it. A sound waits for its picture.
func (h *hls) add(ctx context.Context, r encode.Rendition) error {
	var files []staged
	for _, name := range r.Files {
		kind := contentType(name)
		if r.IsSound() && kind == "video/mp4" {
			kind = "audio/mp4"
		}
		files = append(files, staged{filepath.Join(r.Name, name), r.Name + "/" + name, kind})
	}
	if err := h.stage(ctx, h.id, files...); err != nil {
		return err
	}
	h.renditions = append(h.renditions, r)
	if r.IsSound() && h.media.Picture != nil {
		return nil
	}
	h.published++
	master := fmt.Sprintf("%smaster-%d.m3u8", media.MadePrefix, h.published)
	if err := os.WriteFile(filepath.Join(h.dir, master), encode.Master(h.renditions), 0o600); err != nil {
		return fmt.Errorf("write the master playlist: %w", err)
	}
	if err := h.stage(ctx, h.id, staged{master, master, contentType(master)}); err != nil {
		return err
	}
	return h.publish(ctx, item.Media{Set: fieldsOf(h.media), Add: []item.Asset{h.asset(master, r)}})
}

func (h *hls) asset(master string, top encode.Rendition) item.Asset {
	peak := top.Peak
	for _, r := range h.renditions {
		if r.IsSound() && !top.IsSound() {
			peak += r.Peak
		}
	}
	a := h.assetOf(item.AssetKindPlaylist, media.File{Asset: h.id, Name: master}, top.Width, top.Height)
	a.Bitrate = &peak
	return a
}

// lowest returns the lowest rung of the picture.
func (h *hls) lowest() encode.Rendition {
	for _, r := range h.renditions {
		if !r.IsSound() {
			return r
		}
	}
	return encode.Rendition{}
}

func fieldsOf(m *probe.Media) item.MediaFields {
	fields := item.MediaFields{Type: item.ItemType(m.Kind)}
	if m.Length > 0 {
		fields.Duration = new(float64(m.Length.Milliseconds()) / 1000)
	}
	return fields
}

func pixels(n int) *int32 {
	if n == 0 {
		return nil
	}
	return new(int32(n))
}

// snapshots takes the poster and other pictures of a video, or the cover of a sound.
func (j *job) snapshots(ctx context.Context, ladder *encode.Ladder, m *probe.Media) error {
	var names []string
	switch {
	case m.Picture != nil:
		files, err := ladder.Snapshots(ctx, j.path, j.dir)
		if err != nil {
			return err
		}
		for _, f := range files {
			names = append(names, f.Name)
		}
	case m.Cover != nil:
		name, err := j.cover(ctx, ladder)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil { // a sound is complete without its cover
			j.Log.Warn("cannot show the cover of a sound", "item_id", j.item, "error", err)
			return nil
		}
		names = []string{name}
	default:
		return nil
	}
	return j.publishSnapshots(ctx, item.Media{}, names...)
}

func (j *job) cover(ctx context.Context, ladder *encode.Ladder) (string, error) {
	name, err := ladder.Cover(ctx, j.path, j.dir)
	if err != nil {
		return "", err
	}
	f, err := picture.Cover(ctx, filepath.Join(j.dir, name), j.dir, j.Picture)
	return f.Name, err
}

// publishSnapshots adds snapshots to a change and publishes it. The first one represents the item unless a client has
// chosen another.
func (j *job) publishSnapshots(ctx context.Context, change item.Media, names ...string) error {
	for _, name := range names {
		id := j.newID()
		shown := media.MadePrefix + name
		if err := j.stage(ctx, id, staged{name, shown, contentType(name)}); err != nil {
			return err
		}
		change.AddSnapshots = append(change.AddSnapshots, j.Files.SnapshotOf(media.File{Asset: id, Name: shown}))
	}
	if len(change.AddSnapshots) > 0 {
		change.Set.Poster = &change.AddSnapshots[0].ID
	}
	return j.publish(ctx, change)
}

// progressive adds one file for clients that cannot play HLS.
func (j *job) progressive(ctx context.Context, ladder *encode.Ladder, renditions []encode.Rendition) error {
	f, err := ladder.Progressive(ctx, j.dir, renditions)
	if err != nil {
		return err
	}
	id, shown := j.newID(), media.MadePrefix+f.Name
	if err := j.stage(ctx, id, staged{f.Name, shown, f.ContentType}); err != nil {
		return err
	}
	a := j.assetOf(item.AssetKindRendition, media.File{Asset: id, Name: shown, Size: f.Size}, f.Width, f.Height)
	a.Bitrate = &f.BitRate
	return j.publish(ctx, item.Media{Add: []item.Asset{a}})
}

// storyboard adds the pictures that a player shows beside its time line.
func (j *job) storyboard(ctx context.Context, ladder *encode.Ladder, lowest encode.Rendition) error {
	const folder = "storyboard"
	files, err := ladder.Storyboard(ctx, lowest, j.dir, folder)
	if err != nil {
		return err
	}
	id, address := j.newID(), ""
	var all []staged
	for _, f := range files {
		shown := f.Name
		if f.ContentType == encode.WebVTT {
			shown = media.MadePrefix + f.Name
			address = shown
		}
		all = append(all, staged{filepath.Join(folder, f.Name), shown, contentType(f.Name)})
	}
	if address == "" {
		return errors.New("the storyboard has no index")
	}
	if err := j.stage(ctx, id, all...); err != nil {
		return err
	}
	return j.publish(ctx, item.Media{Add: []item.Asset{
		j.assetOf(item.AssetKindStoryboard, media.File{Asset: id, Name: address, ContentType: encode.WebVTT}, 0, 0)}})
}
