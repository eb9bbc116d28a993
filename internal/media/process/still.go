package process

import (
	"context"

	"itemcast/internal/item"
	"itemcast/internal/media"
	"itemcast/internal/media/picture"
	"itemcast/internal/media/probe"
)

// still processes a picture, or the first page of a document.
func (j *job) still(ctx context.Context, m *probe.Media) error {
	j.progress(10)
	files, err := picture.Convert(ctx, m, j.path, j.dir, j.Picture)
	if err != nil {
		return err
	}
	j.progress(80)
	f := files.Rendition
	id, shown := j.newID(), media.MadePrefix+f.Name
	if err := j.stage(ctx, id, staged{f.Name, shown, f.ContentType}); err != nil {
		return err
	}
	a := j.assetOf(item.AssetKindRendition, media.File{Asset: id, Name: shown, Size: f.Size}, f.Width, f.Height)
	return j.publishSnapshots(ctx, item.Media{Set: fieldsOf(m), Add: []item.Asset{a}}, files.Snapshot.Name)
}
