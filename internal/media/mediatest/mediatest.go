// Package mediatest makes the files of media that tests need, by ffmpeg, vips and heif-enc. Only tests may import it.
//
// Files are small (160 × 90, 2 s) and are made once for each test binary, in a folder that Main removes.
package mediatest

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg" // for Image
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var (
	folder string
	lock   sync.Mutex
	made   = map[string]func() error{}
)

// Main runs the tests of a package. Call it from TestMain.
func Main(m *testing.M) {
	os.Exit(func() int {
		var err error
		if folder, err = os.MkdirTemp("", "itemcast-media-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		return m.Run()
	}())
}

// Parts of ffmpeg's command lines.
const (
	Pattern = "-f lavfi -i testsrc2=s=160x90:r=30:d=2"
	Tone    = "-f lavfi -i sine=f=440:d=2"
	H264    = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
)

// Make makes a file by ffmpeg and returns its path. The arguments are divided at spaces, and may name other files that
// were made. The name may have no directory.
func Make(t testing.TB, name string, args ...string) string {
	t.Helper()
	return once(t, name, func() error {
		all := append([]string{"-hide_banner", "-nostdin", "-v", "error", "-y"}, strings.Fields(strings.Join(args, " "))...)
		return run("ffmpeg", append(all, name)...)
	})
}

// Run makes a file by another program, which gets the arguments as they are.
func Run(t testing.TB, name, program string, args ...string) string {
	t.Helper()
	return once(t, name, func() error { return run(program, args...) })
}

// Write makes a file with a content.
func Write(t testing.TB, name string, content []byte) string {
	t.Helper()
	return once(t, name, func() error { return os.WriteFile(filepath.Join(folder, name), content, 0o600) })
}

// once makes a file unless a test has made it. Tests that ask meanwhile wait.
func once(t testing.TB, name string, write func() error) string {
	t.Helper()
	lock.Lock()
	if made[name] == nil {
		made[name] = sync.OnceValue(write)
	}
	do := made[name]
	lock.Unlock()
	if err := do(); err != nil {
		t.Fatalf("make %s: %v", name, err)
	}
	return filepath.Join(folder, name)
}

// Need skips a test without a program that scripts/setup-test does not install.
func Need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

func run(program string, args ...string) error {
	cmd := exec.CommandContext(context.Background(), program, args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, out)
	}
	return nil
}

// Read returns a file that was made.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Image decodes a JPEG or PNG without its metadata, so as it is stored.
func Image(t testing.TB, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoded, _, err := image.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return decoded
}

// WantColor checks a pixel. JPEG and chroma subsampling may move each number by 12.
func WantColor(t testing.TB, what string, picture image.Image, x, y int, r, g, b int) {
	t.Helper()
	gotR, gotG, gotB, _ := picture.At(x, y).RGBA()
	got, want := [3]int{int(gotR >> 8), int(gotG >> 8), int(gotB >> 8)}, [3]int{r, g, b}
	for n := range got {
		if diff := got[n] - want[n]; diff > 12 || diff < -12 {
			t.Errorf("%s: the pixel at %d, %d is %v, want %v", what, x, y, got, want)
			return
		}
	}
}

// Frame returns a picture of a video, by its number.
func Frame(t testing.TB, path string, number int) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "frame.png")
	err := run("ffmpeg", "-v", "error", "-y", "-i", path, "-vf", fmt.Sprintf("select=eq(n\\,%d)", number),
		"-frames:v", "1", "-update", "1", out)
	if err != nil {
		t.Fatal(err)
	}
	return Image(t, out)
}

// Oriented returns a JPEG with an EXIF orientation.
func Oriented(t testing.TB, name, jpeg string, orientation byte) string {
	t.Helper()
	content := Read(t, jpeg)
	exif := []byte("\xFF\xE1\x00\x22Exif\x00\x00MM\x00\x2A\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" +
		string([]byte{orientation}) + "\x00\x00\x00\x00\x00\x00")
	return Write(t, name, append(append(append([]byte{}, content[:2]...), exif...), content[2:]...))
}
