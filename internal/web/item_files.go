package web

import (
	"strconv"

	"github.com/google/uuid"

	"itemcast/internal/account"
	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// filesView are the files and the pictures of an item.
type filesView struct {
	Action    string
	Assets    []assetView
	Snapshots []snapshotView
	MayEdit   bool
}

type assetView struct {
	Kind, URL, Type, Size, Pixels, Bitrate, Language string
}

type snapshotView struct {
	ID, URL  string
	IsPoster bool
}

func (c *call) files(i *item.Item) filesView {
	v := filesView{Action: c.itemPath(i.ID), MayEdit: c.may(account.ItemsEdit)}
	for _, a := range i.Assets {
		shown := assetView{Kind: c.text.Or("asset."+string(a.Kind), string(a.Kind)), URL: c.pages.local(a.URL),
			Type: a.ContentType}
		if a.Size != nil {
			shown.Size = c.text.Size(*a.Size)
		}
		if a.Width != nil && a.Height != nil {
			shown.Pixels = strconv.Itoa(int(*a.Width)) + " × " + strconv.Itoa(int(*a.Height))
		}
		if a.Bitrate != nil {
			shown.Bitrate = c.text.Number(*a.Bitrate/1000) + " kbit/s"
		}
		if a.Language != nil {
			shown.Language = *a.Language
		}
		v.Assets = append(v.Assets, shown)
	}
	for _, s := range i.Snapshots {
		v.Snapshots = append(v.Snapshots, snapshotView{ID: s.ID.String(), URL: c.pages.local(s.URL),
			IsPoster: i.SnapshotID != nil && *i.SnapshotID == s.ID})
	}
	return v
}

// choosePoster makes a picture the one that represents the item.
func (c *call) choosePoster(i *item.Item) (notice, error) {
	id, err := uuid.Parse(c.value("snapshot"))
	if err != nil {
		return notice{}, problem.New(problem.BadRequest, "The form names no picture.")
	}
	_, err = c.pages.Config.Items.Patch(c.Context(), i.ID, mustJSON(map[string]any{"snapshot_id": id}), nil)
	return done("item.poster.chosen"), err
}
