package player

import (
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/optional"
)

// choose returns what a page plays of an item: what processing has made, else external files, else a source of a type
// that browsers play.
func choose(i *item.Item) Show {
	show := Show{ID: i.ID, Title: i.Name, Description: i.Description, Language: optional.OrZero(i.Language), Kind: i.Type,
		Unlisted: i.Privacy != item.PrivacyPublic, Seconds: optional.OrZero(i.Duration), PublishedAt: i.PublishedAt,
		EmbedCode: optional.OrZero(i.EmbedCode), Poster: poster(i)}
	var sources []*item.Asset
	for n := range i.Assets {
		a := &i.Assets[n]
		switch a.Kind {
		case item.AssetKindSource:
			sources = append(sources, a)
		default:
			show.add(a)
		}
	}
	running, failed := progress(i)
	if !show.plays() && !failed {
		for _, a := range slices.Backward(sources) { // the last one counts, as for processing
			show.add(a)
		}
	}
	show.settleKind(sources)
	if show.Picture.URL == "" && (running || failed) {
		show.Source = File{} // the page of a document comes first
	}
	switch {
	case show.plays():
		show.State = Ready
	case failed:
		show.State = Failed
	case running && len(sources) > 0:
		show.State = Processing
	default:
		show.State = Empty
	}
	// A profile without actions leaves its items pending for ever.
	show.Grows = show.State != Ready || running && (show.Playlist.URL == "" || i.Workflow.Status != "pending")
	return show
}

// Playable returns as what pages play an item, and whether there is something to play already.
func Playable(i *item.Item) (item.ItemType, bool) {
	show := choose(i)
	return show.Kind, show.State == Ready
}

// progress reports whether an item's workflow may still make files, and whether it has failed.
func progress(i *item.Item) (running, failed bool) {
	if i.Workflow == nil {
		return false, false
	}
	switch i.Workflow.Status {
	case "pending", "running", "waiting":
		return true, false
	case "failed":
		return false, true
	}
	return false, false
}

// add adds a file that browsers can use.
func (s *Show) add(a *item.Asset) {
	f := fileOf(a)
	kind, _, _ := strings.Cut(f.Type, "/")
	switch {
	case a.Kind == item.AssetKindStoryboard:
		s.Storyboard = f
	case a.Kind == item.AssetKindSubtitle:
		if f.Type == "text/vtt" {
			s.Tracks = append(s.Tracks, f)
		}
	case slices.Contains(playlists, f.Type):
		if s.Playlist.URL == "" {
			s.Playlist = f
		}
	case a.Kind == item.AssetKindPlaylist: // another format, such as DASH
	case kind == "image" && (a.Kind != item.AssetKindSource || slices.Contains(playable, f.Type)):
		if s.Picture.URL == "" {
			s.Picture = f
		}
	case (kind == "video" || kind == "audio") && (a.Kind != item.AssetKindSource || slices.Contains(playable, f.Type)):
		s.Media = append(s.Media, f)
	}
}

// playlists are the media types of HLS.
var playlists = []string{"application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl"}

// playable are the types of sources that browsers show as they are.
var playable = []string{"video/mp4", "video/webm", "video/x-m4v", "audio/mpeg", "audio/mp4", "audio/x-m4a", "audio/aac",
	"audio/wav", "audio/x-wav", "audio/ogg", "audio/webm", "audio/flac", "image/jpeg", "image/png", "image/gif",
	"image/webp", "image/avif"}

func fileOf(a *item.Asset) File {
	f := File{URL: a.URL, asset: a.ID, Language: optional.OrZero(a.Language), Size: optional.OrZero(a.Size),
		Width: int(optional.OrZero(a.Width)), Height: int(optional.OrZero(a.Height))}
	if kind, _, err := mime.ParseMediaType(a.ContentType); err == nil {
		f.Type = kind
	}
	return f
}

// poster returns the snapshot that represents an item, else the first one.
func poster(i *item.Item) File {
	for _, p := range i.Snapshots {
		if i.SnapshotID == nil || *i.SnapshotID == p.ID {
			return File{URL: p.URL, asset: p.ID}
		}
	}
	return File{}
}

func (s *Show) plays() bool {
	return s.Playlist.URL != "" || len(s.Media) > 0 || s.Picture.URL != "" || s.Source.URL != ""
}

// settleKind makes the kind follow the files: an item is a video unless somebody has said what it is.
func (s *Show) settleKind(sources []*item.Asset) {
	hasSound := s.Playlist.URL != "" || len(s.Media) > 0
	switch {
	case s.Kind == item.ItemTypeDocument:
		for _, a := range slices.Backward(sources) {
			if s.Source = fileOf(a); s.Source.URL != "" {
				break
			}
		}
		if s.Picture.URL == "" {
			s.Picture = s.Poster
		}
	case s.Kind == item.ItemTypeImage && !hasSound, !hasSound && s.Picture.URL != "":
		s.Kind = item.ItemTypeImage
	case s.Kind == item.ItemTypeImage || s.Kind == item.ItemTypeVideo && s.isSound():
		s.Kind = item.ItemTypeVideo
		if s.isSound() {
			s.Kind = item.ItemTypeAudio
		}
	}
}

// isSound reports whether all files that play are sounds.
func (s *Show) isSound() bool {
	if len(s.Media) == 0 {
		return false
	}
	return !slices.ContainsFunc(s.Media, func(f File) bool { return strings.HasPrefix(f.Type, "video/") })
}

// Shape returns a file with the size of the picture; the zero File if none has one.
func (s *Show) Shape() File {
	for _, f := range append([]File{s.Playlist}, s.Media...) {
		if f.Width > 0 && f.Height > 0 {
			return f
		}
	}
	return File{}
}

// Name returns the name of a file, as people know it.
func (f File) Name() string {
	u, err := url.Parse(f.URL)
	if err != nil {
		return ""
	}
	return path.Base(u.Path)
}
