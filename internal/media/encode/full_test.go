package encode_test

import (
	"testing"

	"itemcast/internal/disktest"
	"itemcast/internal/media/encode"
	"itemcast/internal/media/mediatest"
	"itemcast/internal/problem"
)

// ffmpeg exits with 0 when the disk is full, and its playlist has its end.
func TestRun_ADiskThatFillsUpHandsNothingOver(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "minute.mp4", "-f lavfi -i testsrc2=s=320x180:r=30:d=20 -f lavfi -i sine=d=20", mediatest.H264,
		"-c:a aac")
	dir := disktest.Small(t, 80<<20) // 64 MB of which are kept free
	ladder := plan(t, path, fast)
	var free func()
	handed := 0
	err := ladder.Run(t.Context(), path, dir, func(percent int) {
		if percent > 30 && free == nil {
			free = disktest.Fill(t, dir)
		}
	}, func(r encode.Rendition) error {
		if !r.IsSound() {
			handed++
		}
		return nil
	})
	if p := problem.Of(err); p == nil || p.Code != problem.Unavailable || handed != 0 {
		t.Fatalf("got %v, %d renditions", err, handed)
	}
	if err := encode.WantFree(dir, 0); !problem.Is(err, problem.Unavailable) {
		t.Errorf("the disk is full, and has room: %v", err)
	}
	free()
	if err := ladder.Run(t.Context(), path, dir, func(int) {}, func(encode.Rendition) error { return nil }); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
