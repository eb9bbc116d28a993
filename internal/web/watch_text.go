package web

import (
	"fmt"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/media/player"
)

// texts are the sentences of a page about an item.
type texts struct {
	Noun    string // "video"
	Heading string // of the state, if it cannot be played
	Detail  string
	Size    string // of the source of a document
}

var nouns = map[item.ItemType]string{item.ItemTypeVideo: "video", item.ItemTypeAudio: "sound",
	item.ItemTypeImage: "image", item.ItemTypeDocument: "document", item.ItemTypeLive: "live stream"}

func textsOf(show *player.Show) texts {
	noun := nouns[show.Kind]
	t := texts{Noun: noun, Size: sizeText(show.Source.Size)}
	switch show.State {
	case player.Processing:
		t.Heading, t.Detail = "Not ready yet", "This "+noun+" is being prepared. It appears here as soon as it is ready."
	case player.Failed:
		t.Heading, t.Detail = "This "+noun+" cannot be shown", "It could not be prepared for browsers."
		if show.Reason != "" {
			t.Detail = show.Reason
		}
	case player.Empty:
		t.Heading, t.Detail = "Nothing to play yet", "This item has no file that a browser can play. "+
			"If one is added, it appears here."
	}
	return t
}

func sizeText(bytes int64) string {
	const unit = 1000
	switch {
	case bytes <= 0:
		return ""
	case bytes < unit*unit:
		return fmt.Sprintf("%d kB", max(1, bytes/unit))
	case bytes < unit*unit*unit:
		return strings.Replace(fmt.Sprintf("%.1f MB", float64(bytes)/unit/unit), ".0", "", 1)
	}
	return fmt.Sprintf("%.1f GB", float64(bytes)/unit/unit/unit)
}
