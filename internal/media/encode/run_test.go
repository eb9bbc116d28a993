package encode_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"itemcast/internal/media/encode"
	"itemcast/internal/media/mediatest"
	"itemcast/internal/problem"
)

func TestRun_SoundThenTheLowestRungEachInAFolder(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "large.mp4", "-f lavfi -i testsrc2=s=960x540:r=30:d=2", mediatest.Tone, mediatest.H264, "-c:a aac")
	e := run(t, path)
	var names []string
	for _, r := range e.renditions {
		names = append(names, r.Name)
		if r.Codec == "" || r.Peak < r.Average || r.Average <= 0 || r.Size <= 0 || r.Files[0] != "init.mp4" ||
			r.Files[len(r.Files)-1] != "playlist.m3u8" {
			t.Errorf("got %+v", r)
		}
	}
	if got := strings.Join(names, " "); got != "sound 360p 540p" {
		t.Errorf("got %s", got)
	}
	e.wantLength(2)
	if !slices.IsSorted(e.percents) || e.percents[0] != 0 || e.percents[len(e.percents)-1] != 100 || len(e.percents) < 4 {
		t.Errorf("progress %v", e.percents)
	}
	if s := look(t, e.playlist(e.renditions[1])); s.Width != 640 || s.Height != 360 {
		t.Errorf("got %+v", s)
	}
	// Every player starts with the master playlist.
	out := filtered(t, filepath.Join(e.dir, "master.m3u8"), "anull")
	if !strings.Contains(out, "960x540") || !strings.Contains(out, "640x360") {
		t.Errorf("got %s", out)
	}
}

func TestRun_PictureAndSoundBeginTogether(t *testing.T) {
	t.Parallel()
	path := plain(t)
	dir, ladder := t.TempDir(), plan(t, path, encode.Settings{Preset: "veryfast"}) // ultrafast has no B-frames
	err := ladder.Run(t.Context(), path, dir, func(int) {}, func(r encode.Rendition) error {
		if first := firstTime(t, filepath.Join(dir, r.Name, "playlist.m3u8")); first < 0 || first > 0.025 {
			t.Errorf("%s begins at %g s", r.Name, first)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRun_KeepsVariableFrameRates(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"a recorder's WebM": mediatest.Make(t, "uneven.webm", mediatest.Pattern,
			"-vf settb=1/1000,setpts=PTS+8*random(1) -fps_mode passthrough -enc_time_base 1:1000",
			"-c:v libvpx -deadline realtime -cpu-used 8"),
		"a phone's MP4": mediatest.Make(t, "uneven.mp4", "-f lavfi -i testsrc2=s=160x90:r=120:d=2",
			"-vf select='not(mod(n,4))+not(mod(n,7))' -fps_mode passthrough", mediatest.H264),
	} {
		e := run(t, path)
		e.wantLength(2)
		got, want := look(t, e.playlist(e.picture())).packets(), e.ladder.Source.Picture.Packets
		if got > want || got < want*9/10 {
			t.Errorf("%s: %d pictures became %d", name, want, got)
		}
	}
}

func TestRun_FillsLongStillsAndLateBeginnings(t *testing.T) {
	t.Parallel()
	e := run(t, mediatest.Make(t, "screen.mkv", "-f lavfi -i testsrc2=s=160x90:r=30:d=5", "-f lavfi -i sine=d=5",
		"-vf select='gt(n,15)*not(between(n,30,110))' -fps_mode passthrough", mediatest.H264, "-c:a aac"))
	e.wantLength(5)
	if got := look(t, e.playlist(e.picture())).packets(); got < 140 || got > 155 {
		t.Errorf("got %d pictures in 5 s at 30 a second", got)
	}
}

func TestRun_ASinglePictureLastsLongEnoughToPlay(t *testing.T) {
	t.Parallel()
	e := run(t, mediatest.Make(t, "single.mp4", mediatest.Pattern, "-frames:v 1", mediatest.H264))
	e.wantLength(0.5)
	files, err := e.ladder.Storyboard(t.Context(), e.picture(), e.dir, "storyboard")
	if err != nil || len(files) != 2 {
		t.Errorf("got %+v, %v", files, err)
	}
}

func TestRun_DropsPicturesBeyond60ASecond(t *testing.T) {
	t.Parallel()
	e := run(t, mediatest.Make(t, "slow-motion.mp4", "-f lavfi -i testsrc2=s=160x90:r=240:d=1", mediatest.H264))
	if got := look(t, e.playlist(e.picture())).packets(); got < 58 || got > 62 {
		t.Errorf("got %d pictures in a second", got)
	}
}

func TestRun_WhatAnEditListHidesStaysHidden(t *testing.T) {
	t.Parallel()
	mediatest.Make(t, "red-blue.mp4",
		"-f lavfi -i color=red:s=160x90:r=30:d=2,drawbox=c=blue:t=fill:enable='gte(t,1)'", mediatest.Tone, mediatest.H264,
		"-g 120 -c:a aac")
	e := run(t, mediatest.Make(t, "trimmed.mp4", "-ss 1.2 -i red-blue.mp4 -c copy"))
	e.wantLength(0.8)
	mediatest.WantColor(t, "the first picture", mediatest.Frame(t, e.playlist(e.picture()), 0), 80, 45, 0, 0, 255)
}

func TestRun_TurnsThePictureAndMakesPixelsSquare(t *testing.T) {
	t.Parallel()
	plain(t)
	turned := run(t, mediatest.Make(t, "turned.mp4", "-i plain.mp4 -c copy -metadata:s:v:0 rotate=90")).picture()
	if turned.Width != 90 || turned.Height != 160 {
		t.Errorf("turned: got %d × %d", turned.Width, turned.Height)
	}
	e := run(t, mediatest.Make(t, "wide.mp4", mediatest.Pattern, "-vf setsar=4/3", mediatest.H264))
	if s := look(t, e.playlist(e.picture())); s.Width != 214 && s.Width != 212 || s.Height != 90 || s.Aspect != "1:1" {
		t.Errorf("anamorphic: got %+v", s)
	}
}

func TestRun_PictureAndSoundEndTogether(t *testing.T) {
	t.Parallel()
	run(t, mediatest.Make(t, "long-sound.mp4", mediatest.Pattern, "-f lavfi -i sine=d=5", mediatest.H264, "-c:a aac")).
		wantLength(5)
	run(t, mediatest.Make(t, "short-sound.mp4", mediatest.Pattern, "-f lavfi -i sine=d=0.5", mediatest.H264, "-c:a aac")).
		wantLength(2)
}

func TestRun_EveryPixelFormatBecomesWhatBrowsersPlay(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"4:4:4, odd size": mediatest.Make(t, "odd.mp4", "-f lavfi -i testsrc2=s=161x91:r=30:d=1",
			"-c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
		"PQ": mediatest.Make(t, "pq.mp4", "-f lavfi -i testsrc2=s=160x90:r=30:d=1 -c:v libx265 -preset ultrafast -x265-params",
			"log-level=none -pix_fmt yuv420p10le -color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc -tag:v hvc1"),
		"HLG, nothing else said": mediatest.Make(t, "hlg.mp4", "-f lavfi -i testsrc2=s=160x90:r=30:d=1",
			"-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le -color_trc arib-std-b67 -tag:v hvc1"),
		"full range":  mediatest.Make(t, "full.mp4", mediatest.Pattern, "-c:v libx264 -preset ultrafast -pix_fmt yuvj420p"),
		"interlaced":  mediatest.Make(t, "interlaced.mkv", mediatest.Pattern, "-c:v mpeg2video -flags +ildct+ilme -top 1"),
		"RGB, 2 × 2":  mediatest.Make(t, "tiny.mkv", "-f lavfi -i testsrc2=s=2x2:r=5:d=1 -c:v ffv1 -pix_fmt bgr0"),
		"transparent": mediatest.Make(t, "alpha.mov", mediatest.Pattern, "-c:v qtrle -pix_fmt argb"),
	} {
		e := run(t, path)
		s := look(t, e.playlist(e.picture()))
		if s.PixelFormat != "yuv420p" || s.Transfer != "bt709" || s.Matrix != "bt709" || s.Range != "tv" || s.Width%2 != 0 ||
			s.Height%2 != 0 {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

func TestRun_ColoursStay(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"BT.709": mediatest.Make(t, "bt709.mp4",
			"-f lavfi -i color=0x1FBF1F:s=160x90:r=10:d=1 -vf scale=out_color_matrix=bt709", mediatest.H264, "-colorspace bt709"),
		"small, nothing said": mediatest.Make(t, "untagged.mp4",
			"-f lavfi -i color=0x1FBF1F:s=160x90:r=10:d=1 -vf scale=out_color_matrix=bt601", mediatest.H264),
		"HD, nothing said": mediatest.Make(t, "untagged-hd.mp4",
			"-f lavfi -i color=0x1FBF1F:s=1280x720:r=2:d=1 -vf scale=out_color_matrix=bt709", mediatest.H264),
	} {
		e := run(t, path)
		mediatest.WantColor(t, name, mediatest.Frame(t, e.playlist(e.renditions[0]), 0), 20, 20, 0x1F, 0xBF, 0x1F)
		files, err := e.ladder.Snapshots(t.Context(), path, e.dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mediatest.WantColor(t, name+", snapshot", mediatest.Image(t, filepath.Join(e.dir, files[0].Name)), 20, 20, 0x1F, 0xBF, 0x1F)
	}
}

func TestRun_SilentVideoAndPureSoundHaveAVariant(t *testing.T) {
	t.Parallel()
	for want, path := range map[string]string{
		`CODECS="avc1.`:      mediatest.Make(t, "silent.mp4", mediatest.Pattern, mediatest.H264),
		`CODECS="mp4a.40.2"`: mediatest.Make(t, "only.mp3", mediatest.Tone, "-c:a libmp3lame"),
	} {
		e := run(t, path)
		master := string(encode.Master(e.renditions))
		if !strings.Contains(master, want) || strings.Contains(master, "AUDIO=") || strings.Count(master, "#EXT-X-STREAM-INF") != 1 {
			t.Errorf("got %s", master)
		}
		file, err := e.ladder.Progressive(t.Context(), e.dir, e.renditions)
		if err != nil || file.Size == 0 {
			t.Errorf("got %+v, %v", file, err)
		}
	}
}

func TestRun_ACoverAndSubtitlesAndFontsStayOut(t *testing.T) {
	t.Parallel()
	mediatest.Make(t, "cover.png", "-f lavfi -i color=red:s=64x64 -frames:v 1")
	mediatest.Write(t, "words.srt", []byte("1\n00:00:00,100 --> 00:00:01,000\nHello\n"))
	plain(t)
	sound := run(t, mediatest.Make(t, "cover.mp3",
		mediatest.Tone, "-i cover.png -map 0 -map 1 -c:a libmp3lame -c:v copy -disposition:v attached_pic -id3v2_version 3"))
	if len(sound.renditions) != 1 || !sound.renditions[0].IsSound() {
		t.Errorf("got %+v", sound.renditions)
	}
	name, err := sound.ladder.Cover(t.Context(), sound.source, sound.dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(sound.dir, name)); err != nil {
		t.Error(err)
	}
	e := run(t, mediatest.Make(t, "full.mkv", "-i plain.mp4 -i words.srt -map 0 -map 1 -c:v copy -c:a copy -c:s srt",
		"-attach words.srt -metadata:s:t mimetype=application/x-truetype-font"))
	for _, r := range e.renditions {
		for _, file := range r.Files {
			if strings.Contains(file, "vtt") {
				t.Errorf("%s has %s", r.Name, file)
			}
		}
	}
}

func TestRun_ErrorsAndTheEndOfTheContextHandNothingOver(t *testing.T) {
	t.Parallel()
	path := plain(t)
	ladder, enough := plan(t, path, fast), errors.New("enough")
	calls := 0
	done := func(encode.Rendition) error { calls++; return enough }
	if err := ladder.Run(t.Context(), path, t.TempDir(), func(int) {}, done); !errors.Is(err, enough) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
	calls = 0
	if err := ladder.Run(cancelled(enough), path, t.TempDir(), func(int) {}, done); !errors.Is(err, enough) || calls != 0 {
		t.Errorf("got %v after %d calls", err, calls)
	}
	damaged := mediatest.Read(t, path)
	for n := len(damaged) / 3; n < len(damaged)/2; n++ {
		damaged[n] ^= 0xA5
	}
	broken := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(broken, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	err := ladder.Run(t.Context(), broken, t.TempDir(), func(int) {}, func(encode.Rendition) error { return nil })
	if err != nil && problem.Of(err) == nil {
		t.Errorf("damaged: got %v", err)
	}
}

func TestRun_StopsAtTheLimits(t *testing.T) {
	t.Parallel()
	path := plain(t)
	for want, change := range map[string]func(*encode.Settings){
		"larger files": func(s *encode.Settings) { s.Program.FileSize, s.Program.Time = 8192, 60e9 },
		"memory":       func(s *encode.Settings) { s.Program.Memory, s.Program.Time = 60<<20, 60e9 },
		"longer":       func(s *encode.Settings) { s.Program.Time = 1e6 },
	} {
		s := fast
		change(&s)
		err := plan(t, path, s).Run(t.Context(), path, t.TempDir(), func(int) {}, func(encode.Rendition) error { return nil })
		if e := problem.Of(err); e == nil || !strings.Contains(e.Detail, want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestProgressive_HasPictureAndSound(t *testing.T) {
	t.Parallel()
	e := run(t, plain(t))
	file, err := e.ladder.Progressive(t.Context(), e.dir, e.renditions)
	if err != nil {
		t.Fatal(err)
	}
	content := mediatest.Read(t, filepath.Join(e.dir, file.Name))
	if moov, mdat := strings.Index(string(content), "moov"), strings.Index(string(content), "mdat"); moov > mdat {
		t.Error("the index is behind the content")
	}
	out := filtered(t, filepath.Join(e.dir, file.Name), "anull")
	if !strings.Contains(out, "Video: h264") || !strings.Contains(out, "Audio: aac") || file.Width != 160 {
		t.Errorf("got %+v: %s", file, out)
	}
}

func TestSnapshots_UseThePicturesOwnClock(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "long-sound.mp4", mediatest.Pattern, "-f lavfi -i sine=d=5", mediatest.H264, "-c:a aac")
	dir := t.TempDir()
	files, err := plan(t, path, fast).Snapshots(t.Context(), path, dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("got %+v, %v", files, err)
	}
	for _, f := range files {
		if size := mediatest.Image(t, filepath.Join(dir, f.Name)).Bounds(); size.Dx() != f.Width || size.Dy() != f.Height {
			t.Errorf("got %v, want %+v", size, f)
		}
	}
	first, last := mediatest.Read(t, filepath.Join(dir, files[0].Name)), mediatest.Read(t, filepath.Join(dir, files[3].Name))
	if string(first) == string(last) {
		t.Error("the snapshots show the same moment")
	}
}

func TestStoryboard_ShowsThePictureOfEachTime(t *testing.T) {
	t.Parallel()
	// The picture's brightness says its second.
	e := run(t, mediatest.Make(t, "clock.mp4", "-f lavfi -i color=black:s=160x90:r=10:d=30",
		"-vf geq=lum='20+floor(T)*7':cb=128:cr=128,scale=out_range=tv", mediatest.H264))
	files, err := e.ladder.Storyboard(t.Context(), e.picture(), e.dir, "storyboard")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 {
		t.Fatalf("got %+v", files)
	}
	text := string(mediatest.Read(t, filepath.Join(e.dir, "storyboard", files[2].Name)))
	if !strings.HasPrefix(text, "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsheet_001.jpg#xywh=0,0,160,90\n") ||
		!strings.Contains(text, "\n00:00:29.000 --> 00:00:30.000\nsheet_002.jpg#xywh=640,0,160,90\n") {
		t.Errorf("got %s", text)
	}
	for second := range 30 {
		sheet := mediatest.Image(t, filepath.Join(e.dir, "storyboard", fmt.Sprintf("sheet_%03d.jpg", second/25+1)))
		full := (4 + second*7) * 255 / 219 // of limited range
		mediatest.WantColor(t, fmt.Sprintf("second %d", second), sheet, second%5*160+80, second%25/5*90+45, full, full, full)
	}
}
