package picture_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"itemcast/internal/media/mediatest"
	"itemcast/internal/media/picture"
	"itemcast/internal/media/probe"
	"itemcast/internal/problem"
	"itemcast/internal/soak"
)

func TestMain(m *testing.M) { mediatest.Main(m) }

// convert makes the files of a picture, which has no name that tells its format.
func convert(t *testing.T, path string, s picture.Settings) (string, picture.Files) {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "source")
	if err := os.WriteFile(source, mediatest.Read(t, path), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := probe.File(t.Context(), source, probe.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	files, err := picture.Convert(t.Context(), m, source, dir, s)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return dir, files
}

// halves is a picture whose left half is red and whose right half is blue.
func halves(t *testing.T, name, options string) string {
	return mediatest.Make(t, name, "-f lavfi -i color=red:s=160x90,drawbox=x=80:w=80:h=90:c=blue:t=fill,format=rgb24",
		"-frames:v 1", options)
}

func wantHalves(t *testing.T, what, dir string, f picture.File) {
	t.Helper()
	shown := mediatest.Image(t, filepath.Join(dir, f.Name))
	if size := shown.Bounds(); size.Dx() != f.Width || size.Dy() != f.Height || f.Size == 0 {
		t.Errorf("%s: got %v, want %+v", what, size, f)
	}
	mediatest.WantColor(t, what, shown, f.Width/5, f.Height/2, 254, 0, 0)
	mediatest.WantColor(t, what, shown, f.Width*4/5, f.Height/2, 0, 0, 254)
}

func TestConvert_ShowsEveryFormatInItsColours(t *testing.T) {
	t.Parallel()
	png := halves(t, "halves.png", "")
	vips := func(name string) string { return mediatest.Run(t, name, "vips", "copy", "halves.png", name) }
	for _, path := range []string{png, vips("halves.jpg"), vips("halves.webp"), vips("halves.tif"), vips("halves.avif"),
		vips("halves.gif")} {
		dir, files := convert(t, path, picture.Settings{})
		wantHalves(t, filepath.Base(path), dir, files.Rendition)
		wantHalves(t, filepath.Base(path), dir, files.Snapshot)
	}
}

func TestConvert_ShowsHEIC(t *testing.T) {
	t.Parallel()
	mediatest.Need(t, "heif-enc")
	halves(t, "halves.png", "")
	dir, files := convert(t, mediatest.Run(t, "halves.heic", "heif-enc", "-q", "90", "-o", "halves.heic", "halves.png"),
		picture.Settings{})
	wantHalves(t, "HEIC", dir, files.Rendition)
}

func TestConvert_TurnsPicturesUpright(t *testing.T) {
	t.Parallel()
	halves(t, "halves.png", "")
	// Stored with the left half red; turned by 90 degrees clockwise, the upper half is.
	stored := mediatest.Run(t, "stored.jpg", "vips", "copy", "halves.png", "stored.jpg")
	dir, files := convert(t, mediatest.Oriented(t, "oriented.jpg", stored, 6), picture.Settings{})
	for _, f := range []picture.File{files.Rendition, files.Snapshot} {
		shown := mediatest.Image(t, filepath.Join(dir, f.Name))
		if f.Width != 90 || f.Height != 160 || shown.Bounds().Dx() != 90 {
			t.Errorf("got %+v, %v", f, shown.Bounds())
		}
		mediatest.WantColor(t, "above", shown, 45, 30, 254, 0, 0)
		mediatest.WantColor(t, "below", shown, 45, 130, 0, 0, 254)
	}
}

func TestConvert_PutsTransparentPicturesOnWhite(t *testing.T) {
	t.Parallel()
	path := mediatest.Make(t, "transparent.png", "-f lavfi -i color=red@0.0:s=160x90,format=rgba -frames:v 1")
	dir, files := convert(t, path, picture.Settings{})
	mediatest.WantColor(t, "rendition", mediatest.Image(t, filepath.Join(dir, files.Rendition.Name)), 80, 45, 255, 255, 255)
	mediatest.WantColor(t, "snapshot", mediatest.Image(t, filepath.Join(dir, files.Snapshot.Name)), 80, 45, 255, 255, 255)
}

func TestConvert_CMYKBecomesWhatBrowsersShow(t *testing.T) {
	t.Parallel()
	mediatest.Make(t, "grey.png", "-f lavfi -i color=gray:s=160x90,format=rgb24 -frames:v 1")
	path := mediatest.Run(t, "cmyk.jpg", "vips", "icc_export", "grey.png", "cmyk.jpg", "--output-profile", "cmyk")
	dir, files := convert(t, path, picture.Settings{})
	shown := mediatest.Image(t, filepath.Join(dir, files.Rendition.Name))
	r, g, b, _ := shown.At(80, 45).RGBA()
	for _, value := range []uint32{r >> 8, g >> 8, b >> 8} {
		if value < 108 || value > 148 {
			t.Errorf("grey became %d, %d, %d", r>>8, g>>8, b>>8)
			break
		}
	}
}

func TestConvert_AProfileGivesItsColours(t *testing.T) {
	t.Parallel()
	halves(t, "halves.png", "")
	path := mediatest.Run(t, "p3.png", "vips", "icc_transform", "halves.png", "p3.png", "p3", "--input-profile", "srgb")
	stored := mediatest.Image(t, path)
	if r, g, b, _ := stored.At(20, 20).RGBA(); r>>8 > 245 && g>>8 < 10 && b>>8 < 10 {
		t.Fatalf("the numbers are those of sRGB: %d, %d, %d", r>>8, g>>8, b>>8)
	}
	dir, files := convert(t, path, picture.Settings{})
	wantHalves(t, "Display P3", dir, files.Rendition)
}

func TestConvert_AnimationsMove(t *testing.T) {
	t.Parallel()
	const frames = "-f lavfi -i testsrc2=s=160x90:r=5:d=1"
	for _, path := range []string{mediatest.Make(t, "moving.gif", frames),
		mediatest.Make(t, "moving.webp", frames, "-c:v libwebp_anim -loop 0")} {
		dir, files := convert(t, path, picture.Settings{})
		m, err := probe.File(t.Context(), filepath.Join(dir, files.Rendition.Name), probe.Limits{})
		if err != nil || m.Pages != 5 || m.ContentType != "image/webp" || m.Picture.Height != 90 {
			t.Errorf("%s: got %+v, %v", filepath.Base(path), m, err)
		}
		if still := mediatest.Image(t, filepath.Join(dir, files.Snapshot.Name)).Bounds(); still.Dy() != 90 {
			t.Errorf("got %v", still)
		}
		_, files = convert(t, path, picture.Settings{Animated: 1})
		if files.Rendition.ContentType != "image/jpeg" {
			t.Errorf("an animation beyond the limit: got %+v", files)
		}
	}
}

func TestConvert_FitsIntoTheSideAndNeverEnlarges(t *testing.T) {
	t.Parallel()
	path := halves(t, "halves.png", "")
	dir, files := convert(t, path, picture.Settings{Side: 80})
	if files.Rendition.Width != 80 || files.Rendition.Height != 45 || files.Snapshot.Width != 160 {
		t.Errorf("got %+v", files)
	}
	wantHalves(t, "small", dir, files.Rendition)
}

func TestConvert_ShowsTheFirstPageOfADocument(t *testing.T) {
	t.Parallel()
	page := "1 0 0 rg 0 0 100 200 re f"
	path := mediatest.Write(t, "page.pdf", fmt.Appendf(nil, `%%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R 5 0 R]/Count 2>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 100 200]/Contents 4 0 R>> endobj
4 0 obj <</Length %d>> stream
%s
endstream endobj
5 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 100 200]>> endobj
trailer <</Root 1 0 R>>
`, len(page), page))
	dir, files := convert(t, path, picture.Settings{Side: 400})
	shown := mediatest.Image(t, filepath.Join(dir, files.Rendition.Name))
	if size := shown.Bounds(); size.Dx() != 200 || size.Dy() != 400 {
		t.Errorf("got %v", size)
	}
	mediatest.WantColor(t, "the page", shown, 100, 200, 254, 0, 0)
}

func TestConvert_ABrokenPictureIsRefused(t *testing.T) {
	t.Parallel()
	halves(t, "halves.png", "")
	whole := mediatest.Read(t, mediatest.Run(t, "broken.jpg", "vips", "copy", "halves.png", "broken.jpg"))
	dir := t.TempDir()
	for tenth := 1; tenth < 10; tenth += soak.Times(4, 1) {
		source := filepath.Join(dir, "source")
		if err := os.WriteFile(source, whole[:len(whole)*tenth/10], 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := probe.File(t.Context(), source, probe.Limits{})
		if err == nil {
			_, err = picture.Convert(t.Context(), m, source, dir, picture.Settings{})
		}
		if problem.Of(err) == nil {
			t.Errorf("%d tenths: got %v", tenth, err)
		}
	}
}
