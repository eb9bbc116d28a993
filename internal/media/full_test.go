package media

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"itemcast/internal/disktest"
	"itemcast/internal/media/blob"
	"itemcast/internal/problem"
)

func TestStage_AFullDiskIsSaidAndLeavesNothing(t *testing.T) {
	b := setup(t)
	b.dir = filepath.Join(disktest.Small(t, 2<<20), "media")
	bucket, err := blob.Open(t.Context(), "file://"+b.dir)
	if err != nil {
		t.Fatal(err)
	}
	b.bucket = bucket
	file := func(size int) error {
		_, err := b.Stage(t.Context(), b.account, File{Asset: uuid.New(), Name: "clip.mp4"}, 100<<20,
			bytes.NewReader(make([]byte, size)))
		return err
	}
	wantFull := func(what string, err error) {
		t.Helper()
		if p := problem.Of(err); p == nil || p.Code != problem.StorageUnavailable || !strings.Contains(p.Detail, "full") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := file(1000); err != nil {
		t.Fatal(err)
	}
	wantFull("a file that is larger than the disk", file(8<<20))
	b.wantLeft("after it", 1)
	free := disktest.Fill(t, filepath.Dir(b.dir))
	wantFull("a small file", file(10_000))
	b.wantLeft("after it", 1)
	free()
	if err := file(1000); err != nil {
		t.Errorf("with room again: %v", err)
	}
	b.wantLeft("with room again", 2)
	if _, err := os.Stat(filepath.Join(b.dir, blob.MarkName)); err != nil {
		t.Error(err)
	}
}
