package bench

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestNoise_IsTheSameFromAnyOffset(t *testing.T) {
	t.Parallel()
	whole := make([]byte, 3<<20)
	if _, err := io.ReadFull(io.NewSectionReader(noiseBlock, 0, 3<<20), whole); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(whole), clipHead) {
		t.Error("it does not begin as an MP4")
	}
	for _, at := range []int64{0, 5, 1<<20 - 1, 2 << 20} {
		part := make([]byte, 1<<20)
		if _, err := noiseBlock.ReadAt(part, at); err != nil || string(part) != string(whole[at:at+1<<20]) {
			t.Errorf("at %d it differs, %v", at, err)
		}
	}
}

func TestRun_MeasuresUploadsAndTheirDelivery(t *testing.T) {
	t.Parallel()
	path := mustBuild(t)
	var out strings.Builder
	err := Run(t.Context(), Config{
		Itemcast: path, Only: []string{"upload", "playable", "segments"}, Rounds: 1, Round: 50 * time.Millisecond,
		Items: 120, Connections: 1, UploadSize: 1e6, Clip: 2 * time.Second, Out: &out, Progress: logOf{t},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []string{"upload-form", "upload-tus", "upload-memory-form", "upload-memory-tus", "playable", "segments"} {
		work := rowsWhere(func(one row) bool { return one.name == r })[0].work
		if !strings.Contains(out.String(), "| "+work+" |") {
			t.Errorf("the report lacks %s:\n%s", r, &out)
		}
	}
}
