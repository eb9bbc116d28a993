// Package probe finds out what a file of media is, whatever its name and its sender claim.
//
// Pictures and documents are known by their first bytes, and measured by vips. All other files are read by ffprobe,
// which may use the formats in Formats and no network.
//
// What a header says of length and frame rate is often wrong (raw AAC, MP3 without a header, MediaRecorder's WebM, half
// an upload), so the package counts the packets of every track: it reads the whole file. It decodes nothing.
package probe

import (
	"time"

	"itemcast/internal/media/program"
)

// Kind is what a file is for people.
type Kind string

// The kinds of media.
const (
	Video    Kind = "video"
	Audio    Kind = "audio"
	Image    Kind = "image"
	Document Kind = "document"
)

// Media is what is known of a file.
type Media struct {
	Kind        Kind
	ContentType string        // of the file, known from its bytes
	Format      string        // ffprobe's name of the container, or that of the picture
	Start       time.Duration // the time stamp at which the file begins
	Length      time.Duration // of the longest of Picture and Sound, from Start; 0 for Image and Document
	Picture     *Picture      // nil: sound only
	Sound       *Sound        // nil: silent
	Cover       *int          // the stream of a cover picture, in a file of Kind Audio
	Pages       int           // of a Document, or the pictures of an animated Image
}

// Track is what picture and sound have in common.
type Track struct {
	Stream  int           // its number in the file
	Codec   string        // ffprobe's name
	Packets int           // that people see or hear: an edit list may hide others
	Start   time.Duration // from the file's start
	End     time.Duration // from the file's start
	BitRate int64         // 0: unknown
}

// Picture is the moving picture of a video, or a still one.
type Picture struct {
	Track
	Width, Height int           // in square pixels, turned upright
	Rotation      int           // in degrees, clockwise, that turn the stored picture upright: 0, 90, 180 or 270
	Rate          float64       // pictures a second while the picture moves
	Uniform       bool          // the time stamps are those of a constant frame rate, which ffmpeg knows
	LongestStill  time.Duration // between two pictures
	PixelFormat   string
	Matrix        string // ffprobe's color_space, or vips's interpretation; "": not said
	Transfer      string // ffprobe's color_transfer; "": not said
	Primaries     string // ffprobe's color_primaries; "": not said
	FullRange     bool
	Profiled      bool // a still picture with an ICC profile
	Interlaced    bool
}

// IsHDR reports whether the picture needs tone mapping for ordinary screens.
func (p *Picture) IsHDR() bool { return p.Transfer == "smpte2084" || p.Transfer == "arib-std-b67" }

// Sound is the sound track.
type Sound struct {
	Track
	Channels int
}

// Limits bound what is read. The zero value gives every field its default.
type Limits struct {
	Length  time.Duration // default 12 hours
	Pixels  int           // of a moving picture; default 36 million, which is more than 8K
	Still   int           // pixels of a still picture; default 200 million
	Program program.Limits
}

func (l Limits) withDefaults() Limits {
	if l.Length == 0 {
		l.Length = 12 * time.Hour
	}
	if l.Pixels == 0 {
		l.Pixels = 36_000_000
	}
	if l.Still == 0 {
		l.Still = 200_000_000
	}
	if l.Program == (program.Limits{}) {
		l.Program = program.Limits{Time: 30 * time.Minute, Memory: 4 << 30}
	}
	return l
}
