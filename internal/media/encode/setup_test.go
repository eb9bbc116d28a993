package encode_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"itemcast/internal/media/encode"
	"itemcast/internal/media/mediatest"
	"itemcast/internal/media/probe"
)

func TestMain(m *testing.M) { mediatest.Main(m) }

var fast = encode.Settings{Preset: "ultrafast"}

// encoded is a source and what was made of it.
type encoded struct {
	t          *testing.T
	source     string
	dir        string
	ladder     *encode.Ladder
	renditions []encode.Rendition
	percents   []int
}

func plan(t *testing.T, source string, s encode.Settings) *encode.Ladder {
	t.Helper()
	m, err := probe.File(t.Context(), source, probe.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(source), err)
	}
	return encode.Plan(m, s)
}

func run(t *testing.T, source string) *encoded {
	t.Helper()
	e := &encoded{t: t, source: source, dir: t.TempDir(), ladder: plan(t, source, fast)}
	err := e.ladder.Run(t.Context(), source, e.dir, func(percent int) { e.percents = append(e.percents, percent) },
		func(r encode.Rendition) error {
			e.renditions = append(e.renditions, r)
			return nil
		})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(source), err)
	}
	master := encode.Master(e.renditions)
	if err := os.WriteFile(filepath.Join(e.dir, "master.m3u8"), master, 0o600); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *encoded) playlist(r encode.Rendition) string {
	return filepath.Join(e.dir, r.Name, "playlist.m3u8")
}

// picture returns the highest rung.
func (e *encoded) picture() encode.Rendition {
	e.t.Helper()
	last := e.renditions[len(e.renditions)-1]
	if last.IsSound() {
		e.t.Fatal("there is no picture")
	}
	return last
}

// stream is what ffprobe says of a rendition.
type stream struct {
	Width, Height int
	PixelFormat   string `json:"pix_fmt"`
	Transfer      string `json:"color_transfer"`
	Matrix        string `json:"color_space"`
	Range         string `json:"color_range"`
	Aspect        string `json:"sample_aspect_ratio"`
	Packets       string `json:"nb_read_packets"`
	Channels      int
}

func look(t *testing.T, path string) stream {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-of", "json", "-count_packets", "-show_streams",
		path).Output()
	var d struct{ Streams []stream }
	if err == nil {
		err = json.Unmarshal(out, &d)
	}
	if err != nil || len(d.Streams) == 0 {
		t.Fatalf("%s: %v", path, err)
	}
	return d.Streams[0]
}

func (s stream) packets() int {
	n, _ := strconv.Atoi(s.Packets)
	return n
}

// firstTime returns the time at which a rendition begins.
func firstTime(t *testing.T, path string) float64 {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries",
		"packet=pts_time", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	first := math.Inf(1)
	for line := range strings.FieldsSeq(string(out)) {
		at, err := strconv.ParseFloat(strings.Trim(line, ","), 64)
		if err != nil {
			t.Fatal(err)
		}
		first = min(first, at)
	}
	return first
}

// wantLength checks all renditions: each ends when the source ends.
func (e *encoded) wantLength(want float64) {
	e.t.Helper()
	for _, r := range e.renditions {
		if math.Abs(r.Length.Seconds()-want) > 0.15 {
			e.t.Errorf("%s: %s lasts %s, want %g s", filepath.Base(e.source), r.Name, r.Length, want)
		}
	}
}

// loudness measures what a filter prints of a sound.
func filtered(t *testing.T, path, filter string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-hide_banner", "-nostdin", "-i", path, "-af", filter, "-f", "null",
		"-").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", path, err, out)
	}
	return string(out)
}

func after(t *testing.T, text, label string) float64 {
	t.Helper()
	at := strings.LastIndex(text, label)
	if at < 0 {
		t.Fatalf("no %s in %s", label, text)
	}
	value, err := strconv.ParseFloat(strings.Fields(text[at+len(label):])[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func plain(t *testing.T) string {
	return mediatest.Make(t, "plain.mp4", mediatest.Pattern, mediatest.Tone, mediatest.H264, "-g 120 -c:a aac")
}

func cancelled(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}
