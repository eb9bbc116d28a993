package encode

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"itemcast/internal/media/probe"
)

// snapshotSide is the longest side of a snapshot in pixels.
const snapshotSide = 1280

// moments are the parts of the picture's length of which Snapshots takes pictures. The first is the poster's.
var moments = []float64{0.1, 0.3, 0.55, 0.8}

// Snapshots takes a poster and three more pictures from a video, as JPEG files in dir.
func (l *Ladder) Snapshots(ctx context.Context, source, dir string) (files []File, err error) {
	p := l.Source.Picture
	for n, moment := range moments {
		f := File{Name: fmt.Sprintf("snapshot_%d.jpg", n+1), ContentType: "image/jpeg"}
		// The picture's own clock: the file may be longer.
		at := p.Start + time.Duration(moment*float64(p.End-p.Start))
		if f.Width, f.Height, err = l.snapshot(ctx, source, dir, f.Name, at); err != nil {
			return nil, fmt.Errorf("take a snapshot: %w", err)
		}
		if err := f.measure(dir); err != nil {
			return nil, fmt.Errorf("take a snapshot: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}

// snapshot takes the most typical of ten pictures from a time on. A seek past the last picture makes no file and exits
// with 0; then it takes one from the beginning.
func (l *Ladder) snapshot(
	ctx context.Context, source, dir, name string, at time.Duration,
) (width, height int, err error) {
	p := l.Source.Picture
	width, height = fit(p, snapshotSide)
	// thumbnail holds its pictures, so it comes after the scaling, and gets few.
	filter := pictureFilter(p, width, height, forStill) + ",thumbnail=n=10"
	for _, from := range []time.Duration{at, 0} {
		args := append([]string{"-ss", seconds(from)}, l.input(source)...)
		args = append(args, "-map", fmt.Sprintf("0:%d", p.Stream), "-an", "-sn", "-dn", "-map_metadata", "-1", "-vf", filter,
			"-frames:v", "1", "-q:v", "3", "-f", "image2", "-update", "1", name)
		err = l.Settings.ffmpeg(ctx, dir, nil, args...)
		info, missing := os.Stat(filepath.Join(dir, name))
		if err == nil && missing == nil && info.Size() > 0 {
			return width, height, nil
		}
	}
	if err == nil {
		err = errNoPicture
	}
	return 0, 0, err
}

// fit returns the size of the picture within a square.
func fit(p *probe.Picture, side int) (width, height int) {
	scale := min(1, float64(side)/float64(max(p.Width, p.Height)))
	return even(float64(p.Width) * scale), even(float64(p.Height) * scale)
}

// Cover takes the cover picture out of a sound file, as it is.
func (l *Ladder) Cover(ctx context.Context, source, dir string) (name string, err error) {
	args := append(l.input(source), "-map", fmt.Sprintf("0:%d", *l.Source.Cover), "-c", "copy", "-frames:v", "1",
		"-f", "image2", "-update", "1", "cover")
	if err := l.Settings.ffmpeg(ctx, dir, nil, args...); err != nil {
		return "", fmt.Errorf("take the cover: %w", err)
	}
	f := File{Name: "cover"}
	return f.Name, f.measure(dir)
}

const (
	tiles    = 5   // in each direction of a sheet
	tileSide = 160 // pixels of a tile's longest side
	minStep  = time.Second
	steps    = 100 // of a storyboard
)

// Storyboard makes sheets of small pictures, and a WebVTT file that says which shows which time, in dir. It reads the
// lowest rung, whose picture is upright, square, complete and in ordinary colours.
func (l *Ladder) Storyboard(ctx context.Context, lowest Rendition, dir, folder string) (files []File, err error) {
	if folder, err = makeFolder(dir, folder); err != nil {
		return nil, err
	}
	step := max(minStep, time.Duration(math.Ceil(l.Length.Seconds()/steps))*time.Second)
	scale := min(1, tileSide/float64(max(lowest.Width, lowest.Height)))
	width, height := even(float64(lowest.Width)*scale), even(float64(lowest.Height)*scale)
	// round=up shows the picture of 5k s at the k-th place; without it, that of 5k + 2.4 s.
	filter := fmt.Sprintf("fps=fps=1/%d:round=up:start_time=0,scale=%d:%d:in_color_matrix=bt709:%s,tile=%dx%d",
		int(step.Seconds()), width, height, forStill, tiles, tiles)
	err = l.Settings.ffmpeg(ctx, folder, nil, "-protocol_whitelist", "file",
		"-i", filepath.Join(dir, lowest.Name, playlist), "-map", "0:v", "-vf", filter, "-fps_mode", "passthrough",
		"-q:v", "5", "-f", "image2", "sheet_%03d.jpg")
	if err != nil {
		return nil, fmt.Errorf("make the storyboard: %w", err)
	}
	pictures := max(1, int(math.Ceil(lowest.Length.Seconds()/step.Seconds()-0.05)))
	for sheet := range (pictures + tiles*tiles - 1) / (tiles * tiles) {
		f := File{Name: fmt.Sprintf("sheet_%03d.jpg", sheet+1), ContentType: "image/jpeg", Width: tiles * width,
			Height: tiles * height}
		if err := f.measure(folder); err != nil {
			return nil, fmt.Errorf("make the storyboard: %w", err)
		}
		files = append(files, f)
	}
	f := File{Name: "storyboard.vtt", ContentType: WebVTT}
	text := storyboardText(pictures, step, l.Length, width, height)
	if err := os.WriteFile(filepath.Join(folder, f.Name), text, 0o600); err != nil {
		return nil, fmt.Errorf("write the storyboard: %w", err)
	}
	f.Size = int64(len(text))
	return append(files, f), nil
}
