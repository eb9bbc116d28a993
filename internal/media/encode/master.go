package encode

import (
	"fmt"
	"strings"
)

// Master returns the master playlist of renditions, each in a folder of its name beside the playlist. ffmpeg's own has
// the sound's rate only, and no line at all for a silent video.
func Master(renditions []Rendition) []byte {
	var text strings.Builder
	text.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n")
	var sound *Rendition
	for n := range renditions {
		if renditions[n].IsSound() {
			sound = &renditions[n]
		}
	}
	pictures := 0
	for _, r := range renditions {
		if r.IsSound() {
			continue
		}
		pictures++
		if pictures == 1 && sound != nil {
			fmt.Fprintf(&text, `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="sound",DEFAULT=YES,AUTOSELECT=YES,`+
				"URI=\"%s/%s\"\n", sound.Name, playlist)
		}
		peak, average, codecs := r.Peak, r.Average, r.Codec
		if sound != nil {
			peak, average, codecs = peak+sound.Peak, average+sound.Average, codecs+","+sound.Codec
		}
		fmt.Fprintf(&text, `#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS="%s",RESOLUTION=%dx%d`,
			peak, average, codecs, r.Width, r.Height)
		if r.Rate > 0 {
			fmt.Fprintf(&text, ",FRAME-RATE=%.3f", r.Rate)
		}
		if sound != nil {
			text.WriteString(`,AUDIO="sound"`)
		}
		fmt.Fprintf(&text, "\n%s/%s\n", r.Name, playlist)
	}
	if pictures == 0 && sound != nil {
		fmt.Fprintf(&text, `#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS="%s"`+"\n%s/%s\n",
			sound.Peak, sound.Average, sound.Codec, sound.Name, playlist)
	}
	return []byte(text.String())
}
