package probe_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"itemcast/internal/media/mediatest"
	"itemcast/internal/media/probe"
	"itemcast/internal/problem"
	"itemcast/internal/soak"
)

func TestMain(m *testing.M) { mediatest.Main(m) }

// source copies a file to the name that the processor uses: nothing may depend on a name.
func source(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func measure(t *testing.T, path string) *probe.Media {
	t.Helper()
	m, err := probe.File(t.Context(), source(t, mediatest.Read(t, path)), probe.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return m
}

func wantLength(t *testing.T, what string, got time.Duration, want float64) {
	t.Helper()
	if math.Abs(got.Seconds()-want) > 0.12 {
		t.Errorf("%s lasts %s, want %g s", what, got, want)
	}
}

func plain(t *testing.T) string {
	return mediatest.Make(t, "plain.mp4", mediatest.Pattern, mediatest.Tone, mediatest.H264, "-g 120 -c:a aac -movflags +faststart")
}

func TestFile_MeasuresAVideo(t *testing.T) {
	t.Parallel()
	m := measure(t, plain(t))
	p := m.Picture
	if m.Kind != probe.Video || m.ContentType != "video/mp4" || p.Width != 160 || p.Height != 90 || p.Packets != 60 ||
		math.Abs(p.Rate-30) > 0.1 || !p.Uniform || p.Codec != "h264" || m.Sound.Channels != 1 {
		t.Errorf("got %+v, %+v, %+v", m, p, m.Sound)
	}
	wantLength(t, "the video", m.Length, 2)
}

func TestFile_CountsWhatTheHeaderDoesNotKnow(t *testing.T) {
	t.Parallel()
	const noise = "-f lavfi -i anoisesrc=d=12:a=0.5,volume='if(lt(t,2),0,1)':eval=frame"
	for _, c := range []struct {
		path   string
		format string
		length float64
	}{
		{mediatest.Make(t, "raw.aac", noise, "-c:a aac -b:a 128k"), "audio/aac", 12},
		{mediatest.Make(t, "piped.mp3", noise, "-c:a libmp3lame -q:a 4 -write_xing 0"), "audio/mpeg", 12},
		{mediatest.Run(t, "recorder.webm", "sh", "-c", "ffmpeg -v error "+mediatest.Pattern+" "+mediatest.Tone+
			" -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus -f webm - | cat >recorder.webm"), "video/webm", 2},
		{mediatest.Make(t, "sound.wav", mediatest.Tone), "audio/wav", 2},
		{mediatest.Make(t, "sound.flac", mediatest.Tone), "audio/flac", 2},
		{mediatest.Make(t, "sound.ogg", mediatest.Tone, "-c:a libopus"), "audio/ogg", 2},
		{mediatest.Make(t, "sound.m4a", mediatest.Tone, "-c:a aac"), "audio/mp4", 2},
		{mediatest.Make(t, "clip.mov", mediatest.Pattern, mediatest.H264), "video/quicktime", 2},
		{mediatest.Make(t, "clip.mkv", mediatest.Pattern, mediatest.H264), "video/matroska", 2},
		{mediatest.Make(t, "clip.ts", mediatest.Pattern, mediatest.Tone, mediatest.H264, "-c:a aac"), "video/mp2t", 2},
		{mediatest.Make(t, "clip.avi", mediatest.Pattern, "-c:v mpeg4"), "video/x-msvideo", 2},
	} {
		m := measure(t, c.path)
		if m.ContentType != c.format {
			t.Errorf("%s is %s, want %s", filepath.Base(c.path), m.ContentType, c.format)
		}
		wantLength(t, filepath.Base(c.path), m.Length, c.length)
	}
}

func TestFile_VariableTimeStampsGiveTheRealRate(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "uneven.webm", mediatest.Pattern,
		"-vf select='not(between(n,20,49))',settb=1/1000,setpts=PTS+8*random(1) -fps_mode passthrough -enc_time_base 1:1000",
		"-c:v libvpx -deadline realtime -cpu-used 8")
	p := measure(t, path).Picture
	if p.Packets != 30 || p.Rate < 26 || p.Rate > 34 || p.LongestStill < 900*time.Millisecond || p.Uniform {
		t.Errorf("got %+v", p)
	}
}

func TestFile_JoinedBroadcastsAreAsLongAsTheirParts(t *testing.T) {
	t.Parallel()
	plain(t)
	// Each part begins shortly before the time stamps, of 33 bits, begin anew.
	mediatest.Make(t, "plain.ts", "-i plain.mp4 -c copy")
	mediatest.Make(t, "late.ts", "-i plain.mp4 -c copy -output_ts_offset 95441.7")
	m := measure(t, mediatest.Run(t, "joined.ts", "sh", "-c", "cat late.ts late.ts plain.ts late.ts >joined.ts"))
	wantLength(t, "the whole", m.Length, 8.1)
}

func TestFile_WhatAnEditListHidesDoesNotCount(t *testing.T) {
	t.Parallel()
	plain(t)
	m := measure(t, mediatest.Make(t, "trimmed.mp4", "-ss 1.2 -i plain.mp4 -c copy"))
	if m.Picture.Packets > 26 {
		t.Errorf("got %+v", m.Picture)
	}
	wantLength(t, "the rest", m.Length, 0.8)
}

func TestFile_TurnsAndWidensThePicture(t *testing.T) {
	t.Parallel()
	plain(t)
	turned := measure(t, mediatest.Make(t, "turned.mp4", "-i plain.mp4 -c copy -metadata:s:v:0 rotate=90"))
	if p := turned.Picture; p.Width != 90 || p.Height != 160 || p.Rotation%180 != 90 {
		t.Errorf("turned: got %+v", p)
	}
	wide := measure(t, mediatest.Make(t, "wide.mp4", mediatest.Pattern, "-vf setsar=4/3", mediatest.H264))
	if p := wide.Picture; p.Width != 213 || p.Height != 90 {
		t.Errorf("anamorphic: got %+v", p)
	}
}

func TestFile_ACoverIsNoVideo(t *testing.T) {
	t.Parallel()
	mediatest.Make(t, "cover.png", "-f lavfi -i color=red:s=64x64 -frames:v 1")
	m := measure(t, mediatest.Make(t, "cover.mp3",
		mediatest.Tone, "-i cover.png -map 0 -map 1 -c:a libmp3lame -c:v copy -disposition:v attached_pic -id3v2_version 3"))
	if m.Kind != probe.Audio || m.Cover == nil || m.Picture != nil {
		t.Errorf("got %+v", m)
	}
}

func TestFile_TheLongestTrackIsTheLength(t *testing.T) {
	t.Parallel()
	m := measure(t, mediatest.Make(t, "long-sound.mp4", mediatest.Pattern, "-f lavfi -i sine=d=5", mediatest.H264, "-c:a aac"))
	wantLength(t, "the file", m.Length, 5)
	wantLength(t, "the picture", m.Picture.End, 2)
}

func TestFile_KnowsPicturesByTheirBrand(t *testing.T) {
	t.Parallel()
	mediatest.Make(t, "still.jpg", mediatest.Pattern, "-frames:v 1")
	mediatest.Make(t, "still.png", mediatest.Pattern, "-frames:v 1")
	upright := mediatest.Oriented(t, "oriented.jpg", filepath.Join(filepath.Dir(plain(t)), "still.jpg"), 6)
	for _, c := range []struct {
		path, format         string
		width, height, pages int
	}{
		{mediatest.Make(t, "still.jpg"), "image/jpeg", 160, 90, 1},
		{upright, "image/jpeg", 90, 160, 1},
		{mediatest.Make(t, "still.png"), "image/png", 160, 90, 1},
		{mediatest.Make(t, "moving.gif", "-f lavfi -i testsrc2=s=160x90:r=5:d=1"), "image/gif", 160, 90, 5},
		{mediatest.Make(t, "moving.webp", "-f lavfi -i testsrc2=s=160x90:r=5:d=1 -c:v libwebp_anim"), "image/webp", 160, 90, 5},
		{mediatest.Run(t, "still.tif", "vips", "copy", "still.png", "still.tif"), "image/tiff", 160, 90, 1},
		{mediatest.Run(t, "still.avif", "vips", "copy", "still.png", "still.avif"), "image/avif", 160, 90, 1},
	} {
		m := measure(t, c.path)
		if p := m.Picture; m.Kind != probe.Image || m.ContentType != c.format || p.Width != c.width || p.Height != c.height ||
			m.Pages != c.pages || m.Length != 0 {
			t.Errorf("%s: got %+v, %+v", filepath.Base(c.path), m, p)
		}
	}
}

func TestFile_KnowsHEIC(t *testing.T) {
	t.Parallel()
	mediatest.Need(t, "heif-enc")
	mediatest.Make(t, "still.png", mediatest.Pattern, "-frames:v 1")
	m := measure(t, mediatest.Run(t, "still.heic", "heif-enc", "-q", "50", "-o", "still.heic", "still.png"))
	if p := m.Picture; m.Kind != probe.Image || m.ContentType != "image/heic" || p.Width != 160 || p.Height != 90 {
		t.Errorf("got %+v, %+v", m, p)
	}
}

func TestFile_RefusesWhatNamesOtherFilesAndWhatIsNoMedia(t *testing.T) {
	t.Parallel()
	secret := mediatest.Make(t, "sound.wav", mediatest.Tone)
	for name, text := range map[string]string{
		"an HLS playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://" + secret + "\n#EXT-X-ENDLIST\n",
		"a concat script": "ffconcat version 1.0\nfile '" + secret + "'\n",
		"an SDP":          "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
		"an SVG":          `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>`,
		"a DASH manifest": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file://` + secret + `</BaseURL></MPD>`,
		"a text":          strings.Repeat("nothing to see here\n", 1000),
		"an archive":      "PK\x03\x04" + strings.Repeat("\x00", 1000),
	} {
		m, err := probe.File(t.Context(), source(t, []byte(text)), probe.Limits{})
		if !problem.Is(err, problem.UnsupportedMediaType) {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	if _, err := probe.File(t.Context(), source(t, nil), probe.Limits{}); !problem.Is(err, problem.RuleViolated) {
		t.Errorf("empty: got %v", err)
	}
	pictured := source(t, []byte("\xFF\xD8\xFF\xE0 but no JPEG"))
	if _, err := probe.File(t.Context(), pictured, probe.Limits{}); !problem.Is(err, problem.UnsupportedMediaType) {
		t.Errorf("a broken picture: got %v", err)
	}
}

func TestFile_RefusesACutFileWhoseHeaderSaysMore(t *testing.T) {
	t.Parallel()
	mkv := mediatest.Make(t, "tenths.mkv", "-f lavfi -i testsrc2=s=160x90:r=10:d=10 -f lavfi -i sine=d=10", mediatest.H264,
		"-g 10 -c:a aac")
	mp4 := mediatest.Make(t, "tenths.mp4", "-i tenths.mkv -c copy -movflags +faststart")
	for _, path := range []string{mkv, mp4} {
		whole := mediatest.Read(t, path)
		for tenth := 1; tenth < 10; tenth += soak.Times(4, 1) {
			part := source(t, whole[:len(whole)*tenth/10])
			m, err := probe.File(t.Context(), part, probe.Limits{})
			if err == nil {
				t.Errorf("%d tenths of %s: got %s", tenth, filepath.Base(path), m.Length)
			} else if problem.Of(err) == nil {
				t.Errorf("%d tenths of %s: got %v", tenth, filepath.Base(path), err)
			}
		}
	}
}

func TestFile_HoldsLimits(t *testing.T) {
	t.Parallel()
	path := source(t, mediatest.Read(t, plain(t)))
	picture := source(t, mediatest.Read(t, mediatest.Make(t, "still.png", mediatest.Pattern, "-frames:v 1")))
	for want, c := range map[string]struct {
		path   string
		limits probe.Limits
	}{
		"lasts 2.0 s":     {path, probe.Limits{Length: time.Second}},
		"160 × 90 pixels": {path, probe.Limits{Pixels: 14_399}},
		"160 × 90":        {picture, probe.Limits{Still: 14_399}},
	} {
		_, err := probe.File(t.Context(), c.path, c.limits)
		if !problem.Is(err, problem.RuleViolated) && !problem.Is(err, problem.UnsupportedMediaType) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	var maps strings.Builder
	for range 150 {
		maps.WriteString(" -map 0")
	}
	many := mediatest.Make(t, "many.mkv", "-f lavfi -i sine=d=0.1", maps.String(), "-c:a pcm_s16le")
	if _, err := probe.File(t.Context(), source(t, mediatest.Read(t, many)), probe.Limits{}); problem.Of(err) == nil {
		t.Errorf("150 streams: got %v", err)
	}
}

func TestFile_WithoutFFmpegSaysWhatTheOperatorDoes(t *testing.T) {
	path := source(t, mediatest.Read(t, plain(t)))
	t.Setenv("PATH", t.TempDir())
	_, err := probe.File(t.Context(), path, probe.Limits{})
	if e := problem.Of(err); e == nil || e.Code != problem.Unavailable || !strings.Contains(e.Detail, "ffprobe is not installed") {
		t.Errorf("got %v", err)
	}
}

func TestFile_MissingFileIsNoProblemOfTheUser(t *testing.T) {
	t.Parallel()
	_, err := probe.File(t.Context(), filepath.Join(t.TempDir(), "missing"), probe.Limits{})
	if !errors.Is(err, os.ErrNotExist) || problem.Of(err) != nil {
		t.Errorf("got %v", fmt.Sprint(err))
	}
}
