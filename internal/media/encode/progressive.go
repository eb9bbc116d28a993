package encode

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// File is one file that Itemcast makes, beside HLS.
type File struct {
	Name          string // in the folder
	ContentType   string
	Size          int64 // in bytes
	Width, Height int   // 0: sound, or text
	BitRate       int64 // bits a second; 0: not a sound or a video
}

// progressiveSide is the short side of the largest progressive file: it is for clients that cannot play HLS.
const progressiveSide = 720

// Progressive joins sound and the best picture of at most 720p from dir, where Run made them, to one MP4 that plays
// while it loads. It copies what Run has checked, so nothing hidden can come back.
func (l *Ladder) Progressive(ctx context.Context, dir string, renditions []Rendition) (File, error) {
	var picture, sound *Rendition
	for n := range renditions {
		r := &renditions[n]
		switch {
		case r.IsSound():
			sound = r
		case picture == nil || min(r.Width, r.Height) <= progressiveSide:
			picture = r
		}
	}
	f := File{Name: "audio.m4a", ContentType: "audio/mp4"}
	var inputs, maps []string
	if picture != nil {
		f = File{Name: "video.mp4", ContentType: "video/mp4", Width: picture.Width, Height: picture.Height,
			BitRate: picture.Average}
		inputs, maps = add(inputs, maps, picture, "v")
	}
	if sound != nil {
		f.BitRate += sound.Average
		inputs, maps = add(inputs, maps, sound, "a")
	}
	if err := WantFree(dir, int64(2*float64(f.BitRate)/8*l.Length.Seconds())); err != nil { // faststart writes it twice
		return File{}, err
	}
	args := append(append(inputs, maps...), "-c", "copy", "-movflags", "+faststart", "-map_metadata", "-1", "-f", "mp4",
		f.Name)
	if err := l.Settings.ffmpeg(ctx, dir, nil, args...); err != nil {
		return File{}, fmt.Errorf("make %s: %w", f.Name, err)
	}
	length, err := l.Settings.lengthOf(ctx, dir, f.Name)
	if err == nil {
		err = l.wantLength(length)
	}
	if err != nil {
		return File{}, fmt.Errorf("check %s: %w", f.Name, err)
	}
	return f, f.measure(dir)
}

func add(inputs, maps []string, r *Rendition, kind string) (moreInputs, moreMaps []string) {
	return append(inputs, "-protocol_whitelist", "file", "-i", filepath.Join(r.Name, playlist)),
		append(maps, "-map", fmt.Sprintf("%d:%s", len(maps)/2, kind))
}

// measure sets the size. A missing or an empty file is an error: ffmpeg may exit with 0 without having made one.
func (f *File) measure(dir string) error {
	info, err := os.Stat(filepath.Join(dir, f.Name))
	if err != nil {
		return fmt.Errorf("find %s: %w", f.Name, err)
	}
	if f.Size = info.Size(); f.Size == 0 {
		return fmt.Errorf("%s is empty", f.Name)
	}
	return nil
}

func makeFolder(dir, name string) (string, error) {
	folder := filepath.Join(dir, name)
	if err := os.RemoveAll(folder); err != nil {
		return "", fmt.Errorf("clear the scratch folder: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the scratch folder: %w", err)
	}
	return folder, nil
}
