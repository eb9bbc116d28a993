// Package encode makes what browsers play from a file that package probe has measured: HLS with fragmented MP4 (CMAF),
// a progressive file, a storyboard and snapshots. It works on files in a scratch folder and knows no database.
//
//	Plan   → the ladder: which sizes, at which rates; never more than the source has
//	Run    → the sound and the lowest rung, then the other rungs, each checked and handed over before the next begins
//	Master → the master playlist of the rungs that are there
//
// Nearly every failure of ffmpeg exits with 0: a full disk, a signal, a cut source. So each rendition has a folder of
// its own, is read back to its last packet, and is compared with the source's length before anyone gets it.
//
// Nothing is ever copied from the source into a rendition, even if the codec would do: a copy brings back what an edit
// list hides, and forgets the rotation.
package encode

import (
	"cmp"
	"runtime"
	"time"

	"itemcast/internal/media/program"
)

// Settings say how to encode. The zero value gives every field its default.
type Settings struct {
	Preset    string        // of x264; default veryfast
	ShortSide int           // of the largest picture, in pixels; default 1080
	Segment   time.Duration // default 4 s
	Loudness  float64       // LUFS; default -16
	Threads   int           // default: the number of processors
	Stall     time.Duration // without progress, after which ffmpeg is killed; default 3 minutes
	Program   program.Limits
}

func (s Settings) withDefaults() Settings {
	s.Preset = cmp.Or(s.Preset, "veryfast")
	s.ShortSide = cmp.Or(s.ShortSide, 1080)
	s.Segment = cmp.Or(s.Segment, 4*time.Second)
	s.Loudness = cmp.Or(s.Loudness, -16)
	s.Threads = cmp.Or(s.Threads, runtime.GOMAXPROCS(0))
	s.Stall = cmp.Or(s.Stall, 3*time.Minute)
	if s.Program == (program.Limits{}) {
		s.Program = program.Limits{Time: 12 * time.Hour, Memory: 6 << 30, FileSize: 64 << 30}
	}
	return s
}
