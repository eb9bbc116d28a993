package player

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/media"
)

// State says whether an item can be played.
type State string

// The states.
const (
	Ready      State = "ready"
	Processing State = "processing" // it cannot be played yet
	Failed     State = "failed"
	Empty      State = "empty" // it has nothing to play
)

// Show is what a page plays of an item.
type Show struct {
	ID                 uuid.UUID
	Title, Description string
	Language           string // of the item, BCP 47; ""
	Kind               item.ItemType
	Unlisted           bool // search engines must not list it; so it is with a private one
	State              State
	Reason             string  // why processing has failed; "" for the public
	Seconds            float64 // 0: unknown
	PublishedAt        *time.Time
	EmbedCode          string

	Poster     File   // of a video, or the cover of a sound
	Playlist   File   // HLS
	Media      []File // that play without HLS, the best first
	Picture    File   // of an image, or of the first page of a document
	Source     File   // of a document, to download
	Tracks     []File // WebVTT subtitles
	Storyboard File   // WebVTT: parts of pictures beside the time line

	Grows  bool // may change soon: pages follow it
	Access media.Access
	Until  time.Time // with a signed link: when it expires
	Frames []string  // the sites that may show it in a frame
}

// File is a file that a page fetches. The zero File is none.
type File struct {
	URL           string
	Type          string // media type
	Language      string // of a track; ""
	Width, Height int    // 0: unknown
	Size          int64  // bytes; 0: unknown

	asset uuid.UUID
}

// files returns the files that a page fetches.
func (s *Show) files() []*File {
	all := []*File{&s.Poster, &s.Playlist, &s.Picture, &s.Source, &s.Storyboard}
	for n := range s.Media {
		all = append(all, &s.Media[n])
	}
	for n := range s.Tracks {
		all = append(all, &s.Tracks[n])
	}
	var present []*File
	for _, f := range all {
		if f.URL != "" {
			present = append(present, f)
		}
	}
	return present
}

// URLs returns the addresses that a page fetches.
func (s *Show) URLs() (urls []string) {
	for _, f := range s.files() {
		urls = append(urls, f.URL)
	}
	return urls
}

// Version changes with what a page shows.
func (s *Show) Version() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // cannot happen: it has text, numbers and times
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
