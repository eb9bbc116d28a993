package process

import "testing"

// Go's own table depends on the system: it may have none for .m4s, sound for .webm and a translation for .ts.
func TestContentType_OfWhatProcessingMakesIsOurs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"itemcast-master-1.m3u8": "application/vnd.apple.mpegurl", "720p/init.mp4": "video/mp4",
		"720p/segment_00001.m4s": "video/iso.segment", "itemcast-sound.m4a": "audio/mp4", "itemcast-storyboard.vtt": "text/vtt; charset=utf-8",
		"sheet_001.jpg": "image/jpeg", "itemcast-picture.webp": "image/webp"} {
		if got := contentType(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
