package item

import (
	"fmt"
	"html"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// The pages that play an item, after the public URL: the whole page, and the one for frames of other sites.
const (
	WatchPath = "/watch/"
	EmbedPath = "/embed/"
)

// setPlayer gives an item with media that Itemcast holds the URL and the embed code of Itemcast's player, unless a
// client has set them. It takes them away when the item no longer has such media. before is the item as it was; nil for
// a new or a stored one.
//
// The columns are null then, so that both follow the public URL, and the embed code follows the name and the size.
func (s *Service) setPlayer(i, before *Item) {
	switch {
	case s.plays(i):
		if i.PlayerURL == nil {
			i.PlayerURL = new(s.watchURL(i.ID))
		}
		if i.EmbedCode == nil || s.isOwnEmbed(i.ID, *i.EmbedCode) {
			i.EmbedCode = new(s.embedCode(i))
		}
	case before != nil && s.plays(before):
		if i.PlayerURL != nil && *i.PlayerURL == s.watchURL(i.ID) {
			i.PlayerURL = nil
		}
		if i.EmbedCode != nil && s.isOwnEmbed(i.ID, *i.EmbedCode) {
			i.EmbedCode = nil
		}
	}
}

// playerColumns returns what the columns have of the player: null for what setPlayer sets.
func (s *Service) playerColumns(i *Item) (embedCode, playerURL *string) {
	embedCode, playerURL = i.EmbedCode, i.PlayerURL
	if !s.plays(i) {
		return embedCode, playerURL
	}
	if embedCode != nil && s.isOwnEmbed(i.ID, *embedCode) {
		embedCode = nil
	}
	if playerURL != nil && *playerURL == s.watchURL(i.ID) {
		playerURL = nil
	}
	return embedCode, playerURL
}

// plays reports whether Itemcast holds a file that its player may show.
func (s *Service) plays(i *Item) bool {
	for n := range i.Assets {
		a := &i.Assets[n]
		if a.Kind != AssetKindSubtitle && a.Kind != AssetKindStoryboard && s.holds(a.ID, a.URL) {
			return true
		}
	}
	return false
}

func (s *Service) watchURL(id uuid.UUID) string { return s.publicURL + WatchPath + id.String() }

const (
	embedSide   = 640 // pixels of the longer side of the frame
	embedHeight = 360 // of a picture whose size is unknown
	soundHeight = 180
)

// embedEnd ends every embed code. A site that removes the style still gets a frame of the right size. The attribute
// allowfullscreen would add nothing to allow, and browsers warn of both.
const embedEnd = ` allow="autoplay; fullscreen; picture-in-picture" loading="lazy"></iframe>`

// embedCode returns HTML for other sites. The frame shrinks with its column, and keeps the picture's shape.
func (s *Service) embedCode(i *Item) string {
	width, height := frameSize(i)
	style := "border:0;max-width:100%"
	if i.Type != ItemTypeAudio {
		style += fmt.Sprintf(";height:auto;aspect-ratio:%d/%d", width, height)
	}
	return s.embedStart(i.ID) + fmt.Sprintf(`%s" width="%d" height="%d" style="%s"`, html.EscapeString(i.Name), width,
		height, style) + embedEnd
}

func (s *Service) embedStart(id uuid.UUID) string {
	return `<iframe src="` + html.EscapeString(s.publicURL+EmbedPath+id.String()) + `" title="`
}

// embedMiddle is between embedStart and embedEnd, whatever the item's name and size were.
var embedMiddle = regexp.MustCompile(`^[^"<>]*" width="(\d+)" height="(\d+)" ` +
	`style="border:0;max-width:100%(;height:auto;aspect-ratio:(\d+)/(\d+))?"$`)

// isOwnEmbed reports whether an embed code is one that embedCode has returned, perhaps for an earlier name or size: a
// client sends back what it has read. A code with another size than embedCode chooses is the client's.
func (s *Service) isOwnEmbed(id uuid.UUID, code string) bool {
	middle, ok := strings.CutPrefix(code, s.embedStart(id))
	if !ok {
		return false
	}
	if middle, ok = strings.CutSuffix(middle, embedEnd); !ok {
		return false
	}
	m := embedMiddle.FindStringSubmatch(middle)
	if m == nil {
		return false
	}
	width, height, hasRatio := m[1], m[2], m[3] != ""
	side := fmt.Sprint(embedSide)
	if hasRatio {
		return (width == side || height == side) && m[4] == width && m[5] == height
	}
	return width == side && height == fmt.Sprint(soundHeight)
}

// frameSize returns the size of the frame in pixels: that of the picture, its longer side 640.
func frameSize(i *Item) (width, height int) {
	if i.Type == ItemTypeAudio {
		return embedSide, soundHeight
	}
	for n := range i.Assets {
		a := &i.Assets[n]
		if a.Kind == AssetKindSubtitle || a.Width == nil || a.Height == nil || *a.Width < 1 || *a.Height < 1 {
			continue
		}
		w, h := float64(*a.Width), float64(*a.Height)
		if w >= h {
			return embedSide, max(1, int(embedSide*h/w+0.5))
		}
		return max(1, int(embedSide*w/h+0.5)), embedSide
	}
	return embedSide, embedHeight
}
