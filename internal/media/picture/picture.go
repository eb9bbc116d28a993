// Package picture makes what browsers show from still and animated pictures and from the first page of documents, by
// vips: upright, in sRGB (CMYK and other profiles included), on white where the picture is transparent, without the
// metadata of cameras. It works on files in a scratch folder and knows no database.
//
// vips reads HEIC, animated WebP and CMYK as browsers would, and ffmpeg does not.
package picture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"itemcast/internal/media/probe"
	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

// Settings say how to convert. The zero value gives every field its default.
type Settings struct {
	Side     int // of the rendition's longest side, in pixels; default 2560
	Animated int // pixels of all pictures of an animation; default 100 million; a longer one becomes a still
	Program  program.Limits
}

func (s Settings) withDefaults() Settings {
	s.Side = cmp.Or(s.Side, 2560)
	s.Animated = cmp.Or(s.Animated, 100_000_000)
	if s.Program == (program.Limits{}) {
		s.Program = program.Limits{Time: 10 * time.Minute, Memory: 4 << 30, FileSize: 1 << 30}
	}
	return s
}

// File is a file that Convert makes.
type File struct {
	Name          string // in the folder
	ContentType   string
	Size          int64 // in bytes
	Width, Height int
}

// Files is what Convert makes of one picture.
type Files struct {
	Rendition File // large; of an animation, a moving WebP
	Snapshot  File // a small still JPEG
}

const (
	snapshotSide = 1280
	stillOptions = "[Q=85,strip,optimize_coding,background=255]"
)

// Convert makes the files of a picture or a document, which probe has measured, in dir.
func Convert(ctx context.Context, m *probe.Media, source, dir string, s Settings) (files Files, err error) {
	s = s.withDefaults()
	p := m.Picture
	moving := m.Kind == probe.Image && m.Pages > 1 && m.Pages*p.Width*p.Height <= s.Animated && animates(m.Format)
	files.Rendition = File{Name: "picture.jpg", ContentType: "image/jpeg"}
	input, options := source, "[Q=88,strip,optimize_coding,interlace,background=255]"
	if moving {
		files.Rendition = File{Name: "picture.webp", ContentType: "image/webp"}
		input, options = source+"[n=-1]", "[Q=80,strip]"
	}
	if err := s.thumbnail(ctx, m, input, dir, &files.Rendition, options, s.Side); err != nil {
		return Files{}, err
	}
	files.Snapshot = File{Name: "snapshot.jpg", ContentType: "image/jpeg"}
	err = s.thumbnail(ctx, m, source, dir, &files.Snapshot, stillOptions, snapshotSide)
	return files, err
}

// animates reports whether the pages of a format are pictures that follow each other.
func animates(format string) bool { return format == "gif" || format == "webp" }

// thumbnail makes one file that fits into a square.
func (s Settings) thumbnail(
	ctx context.Context, m *probe.Media, input, dir string, f *File, options string, side int,
) error {
	f.Width, f.Height = fit(m, side)
	target := filepath.Join(dir, f.Name)
	args := []string{"thumbnail", input, target + options, fmt.Sprint(f.Width), "--height", fmt.Sprint(f.Height),
		"--size", "force", "--fail-on", "truncated"}
	switch p := m.Picture; { // with an export profile, vips alters the colours of an RGB picture that has no profile
	case p.Matrix == "cmyk":
		args = append(args, "--export-profile", "srgb", "--import-profile", "cmyk") // unless it has its own
	case p.Profiled:
		args = append(args, "--export-profile", "srgb")
	}
	_, err := program.Run(ctx, program.Command{Name: "vips", Args: args, Dir: dir, Limits: s.Program,
		Env: probe.VipsEnv(m.Kind)})
	if err != nil {
		return explain(err, m)
	}
	info, err := os.Stat(target)
	if err != nil {
		return fmt.Errorf("find %s: %w", f.Name, err)
	}
	if f.Size = info.Size(); f.Size == 0 {
		return fmt.Errorf("%s is empty", f.Name)
	}
	return nil
}

// fit returns the size of a picture within a square. A picture is never enlarged; a page of a document has no pixels of
// its own, so it fills the square.
func fit(m *probe.Media, side int) (width, height int) {
	p := m.Picture
	scale := float64(side) / float64(max(p.Width, p.Height))
	if m.Kind == probe.Image {
		scale = min(1, scale)
	}
	return max(1, int(float64(p.Width)*scale+0.5)), max(1, int(float64(p.Height)*scale+0.5))
}

// explain makes the error of vips one for users.
func explain(err error, m *probe.Media) error {
	if missing, ok := errors.AsType[*program.Missing](err); ok {
		return probe.MissingProgram(missing)
	}
	failure, ok := errors.AsType[*program.Failure](err)
	if !ok {
		return err
	}
	if failure.Reason == program.DiskFull {
		return errors.Join(probe.DiskFull(), err)
	}
	thing := "picture"
	if m.Kind == probe.Document {
		thing = "document"
	}
	text := map[program.Reason]string{
		program.Exited:   "The " + thing + " is damaged or protected, and cannot be shown. Upload it again.",
		program.TooLong:  "It takes too long to convert the " + thing + ".",
		program.TooLarge: "The converted " + thing + " would be larger than allowed.",
		program.NoMemory: "It takes more memory than allowed to convert the " + thing + ".",
	}[failure.Reason]
	if text == "" {
		return err
	}
	return errors.Join(problem.New(problem.RuleViolated, "%s", text), err)
}

// Cover makes a snapshot of the cover picture of a sound file, which may be of any format of pictures.
func Cover(ctx context.Context, cover, dir string, s Settings) (File, error) {
	m, err := probe.File(ctx, cover, probe.Limits{})
	if err != nil {
		return File{}, err
	}
	if m.Kind != probe.Image {
		return File{}, problem.New(problem.UnsupportedMediaType, "The cover is no picture.")
	}
	f := File{Name: "snapshot.jpg", ContentType: "image/jpeg"}
	err = s.withDefaults().thumbnail(ctx, m, cover, dir, &f, stillOptions, snapshotSide)
	return f, err
}
