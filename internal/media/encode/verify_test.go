package encode

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"itemcast/internal/media/mediatest"
	"itemcast/internal/media/probe"
	"itemcast/internal/problem"
)

// What a full disk and a signal leave behind looks finished: ffmpeg exits with 0, and the playlist has its end.
func TestVerify_FindsWhatAFullDiskLeaves(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "ten.mp4", "-f lavfi -i testsrc2=s=160x90:r=30:d=10 -f lavfi -i sine=d=10", mediatest.H264, "-c:a aac")
	m, err := probe.File(t.Context(), path, probe.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ladder, dir := Plan(m, Settings{Preset: "ultrafast"}), t.TempDir()
	var made []Rendition
	if err := ladder.Run(context.Background(), path, dir, func(int) {}, func(r Rendition) error {
		made = append(made, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, r := range made {
		folder := filepath.Join(dir, r.Name)
		last := filepath.Join(folder, r.Files[len(r.Files)-2])
		whole := mediatest.Read(t, last)
		index := mediatest.Read(t, filepath.Join(folder, playlist))
		for name, damage := range map[string]func() error{
			"a cut segment":     func() error { return os.Truncate(last, int64(len(whole)/2)) },
			"an empty segment":  func() error { return os.Truncate(last, 0) },
			"a missing segment": func() error { return os.Remove(last) },
			"an empty playlist": func() error { return os.Truncate(filepath.Join(folder, playlist), 0) },
			"a short playlist": func() error {
				return os.WriteFile(filepath.Join(folder, playlist), without(index, r.Files[len(r.Files)-2]), 0o600)
			},
		} {
			if err := damage(); err != nil {
				t.Fatal(err)
			}
			if err := ladder.verify(t.Context(), &Rendition{Width: r.Width}, folder); problem.Of(err) == nil {
				t.Errorf("%s, %s: got %v", r.Name, name, err)
			}
			if err := os.WriteFile(last, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, playlist), index, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := ladder.verify(t.Context(), &Rendition{Width: r.Width}, folder); err != nil {
			t.Errorf("%s, mended: %v", r.Name, err)
		}
	}
}

// without takes a segment and its EXTINF out of a playlist.
func without(index []byte, segment string) []byte {
	var kept []byte
	lines := strings.Split(string(index), "\n")
	for n, line := range lines {
		if line == segment || n+1 < len(lines) && lines[n+1] == segment {
			continue
		}
		kept = append(append(kept, line...), '\n')
	}
	return kept
}
