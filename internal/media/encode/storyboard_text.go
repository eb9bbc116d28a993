package encode

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

var errNoPicture = errors.New("ffmpeg has made no picture")

// storyboardText returns the WebVTT file of a storyboard. Its cues name a part of a sheet by a media fragment.
func storyboardText(pictures int, step, length time.Duration, width, height int) []byte {
	var text bytes.Buffer
	text.WriteString("WEBVTT\n")
	for n := range pictures {
		begin, end := time.Duration(n)*step, time.Duration(n+1)*step
		if n == pictures-1 {
			end = max(length, begin+time.Millisecond)
		}
		place := n % (tiles * tiles)
		fmt.Fprintf(&text, "\n%s --> %s\nsheet_%03d.jpg#xywh=%d,%d,%d,%d\n", cueTime(begin), cueTime(end),
			n/(tiles*tiles)+1, place%tiles*width, place/tiles*height, width, height)
	}
	return text.Bytes()
}

func cueTime(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// WebVTT is the content type of a storyboard's index.
const WebVTT = "text/vtt"
