package encode_test

import (
	"path/filepath"
	"testing"

	"itemcast/internal/media/encode"
	"itemcast/internal/media/mediatest"
)

// A seek into the time of the last picture, or past it, finds none, and ffmpeg exits with 0.
func TestSnapshots_ASinglePictureGivesAll(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "second.mkv", "-f lavfi -i color=0x1FBF1F:s=160x90:r=1:d=1 -vf scale=out_color_matrix=bt709",
		mediatest.H264, "-colorspace bt709")
	dir := t.TempDir()
	files, err := plan(t, path, fast).Snapshots(t.Context(), path, dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("got %+v, %v", files, err)
	}
	for _, f := range files {
		mediatest.WantColor(t, f.Name, mediatest.Image(t, filepath.Join(dir, f.Name)), 80, 45, 0x1F, 0xBF, 0x1F)
	}
}

// Browsers ignore the shape of pixels in a JPEG.
func TestSnapshots_HaveSquarePixelsAndStandUpright(t *testing.T) {
	t.Parallel()
	plain(t)
	for want, path := range map[[2]int]string{
		{214, 90}: mediatest.Make(t, "anamorphic.mp4", mediatest.Pattern, "-vf setsar=4/3", mediatest.H264),
		{90, 160}: mediatest.Make(t, "upright.mp4", "-i plain.mp4 -c copy -metadata:s:v:0 rotate=90"),
	} {
		dir := t.TempDir()
		files, err := plan(t, path, encode.Settings{Preset: "ultrafast"}).Snapshots(t.Context(), path, dir)
		if err != nil {
			t.Error(err)
			continue
		}
		size := mediatest.Image(t, filepath.Join(dir, files[0].Name)).Bounds()
		if size.Dy() != want[1] || size.Dx() < want[0]-2 || size.Dx() > want[0] {
			t.Errorf("%s: got %v, want %v", filepath.Base(path), size, want)
		}
	}
}
