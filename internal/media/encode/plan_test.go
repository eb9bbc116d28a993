package encode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"itemcast/internal/media/encode"
	"itemcast/internal/media/probe"
)

func TestPlan_NoRungExceedsTheSource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width, height int
		want          string
	}{
		{1920, 1080, "640x360 1280x720 1920x1080"},
		{3840, 2160, "640x360 1280x720 1920x1080"},
		{1080, 1920, "360x640 720x1280 1080x1920"},
		{1280, 720, "640x360 1280x720"},
		{854, 480, "640x360 854x480"},
		{720, 576, "450x360 720x576"},
		{1000, 800, "450x360 1000x800"},
		{320, 180, "320x180"},
		{161, 91, "162x92"},
		{1, 1, "2x2"},
		{8000, 100, "356x4"},
		{2048, 858, "860x360 2048x858"},
	} {
		m := &probe.Media{Kind: probe.Video, Length: time.Second,
			Picture: &probe.Picture{Width: c.width, Height: c.height, Rate: 30, Uniform: true}}
		var got []string
		rate := int64(0)
		for _, r := range encode.Plan(m, encode.Settings{}).Rungs {
			got = append(got, fmt.Sprintf("%dx%d", r.Width, r.Height))
			if r.MaxRate <= rate {
				t.Errorf("%d × %d: %d bit/s after %d", c.width, c.height, r.MaxRate, rate)
			}
			rate = r.MaxRate
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%d × %d: got %s, want %s", c.width, c.height, strings.Join(got, " "), c.want)
		}
	}
}

func TestMaster_SaysWhatAPlayerNeedsToChoose(t *testing.T) {
	t.Parallel()
	got := string(encode.Master([]encode.Rendition{
		{Name: "sound", Codec: "mp4a.40.2", Peak: 130_000, Average: 128_000},
		{Name: "360p", Width: 640, Height: 360, Rate: 30, Codec: "avc1.64001e", Peak: 900_000, Average: 700_000},
		{Name: "720p", Width: 1280, Height: 720, Codec: "avc1.64001f", Peak: 2_500_000, Average: 2_000_000},
	}))
	const want = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="sound",DEFAULT=YES,AUTOSELECT=YES,URI="sound/playlist.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1030000,AVERAGE-BANDWIDTH=828000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000,AUDIO="sound"
360p/playlist.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2630000,AVERAGE-BANDWIDTH=2128000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="sound"
720p/playlist.m3u8
`
	if got != want {
		t.Errorf("got %s", got)
	}
}
