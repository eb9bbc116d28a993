package web

import (
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/media/player"
)

// playerView is the player of an item's page: a frame of the page for other sites, which has the user's session.
type playerView struct {
	Frame string // its address; "" for a picture or a document whose picture the page has
	Sound bool
	Watch string // address of the page that plays the item
}

func (c *call) player(i *item.Item) *playerView {
	kind, ready := player.Playable(i)
	if !ready {
		return nil
	}
	v := &playerView{Sound: kind == item.ItemTypeAudio,
		Watch: c.pages.root + strings.TrimPrefix(item.WatchPath, "/") + i.ID.String()}
	isStill := kind == item.ItemTypeImage || kind == item.ItemTypeDocument
	if !isStill || c.pages.thumb(i) == "" {
		v.Frame = c.pages.root + strings.TrimPrefix(item.EmbedPath, "/") + i.ID.String()
	}
	return v
}
