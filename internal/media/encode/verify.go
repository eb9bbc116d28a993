package encode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/media/probe"
	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

// segment is a file of a media playlist.
type segment struct {
	file   string
	lasts  time.Duration
	size   int64
	isInit bool
}

// verify reads a rendition back to its last packet, compares its length with the source's, and fills in what a master
// playlist says of it.
func (l *Ladder) verify(ctx context.Context, r *Rendition, folder string) error {
	segments, err := readPlaylist(folder)
	if err != nil {
		return errors.Join(unfinished(folder), err)
	}
	length, err := l.readBack(ctx, folder)
	if err != nil {
		return err
	}
	if err := l.wantLength(length); err != nil {
		return err
	}
	r.Length = length
	r.Peak, r.Average = bandwidth(segments)
	for _, s := range segments {
		r.Files = append(r.Files, s.file)
		r.Size += s.size
	}
	r.Files = append(r.Files, playlist)
	if !r.IsSound() {
		if r.Codec, err = videoCodec(filepath.Join(folder, segments[0].file)); err != nil {
			return err
		}
	}
	return nil
}

// readBack decodes nothing: a copy to nowhere with -xerror fails on cut pictures and cut sound. It returns the length.
func (l *Ladder) readBack(ctx context.Context, folder string) (time.Duration, error) {
	var length time.Duration
	err := l.Settings.ffmpeg(ctx, folder, func(at time.Duration) { length = at },
		"-xerror", "-protocol_whitelist", "file", "-i", playlist, "-map", "0", "-c", "copy", "-f", "null", "-")
	if failure, ok := errors.AsType[*program.Failure](err); ok && failure.Reason == program.Exited {
		return 0, errors.Join(unfinished(folder), err)
	}
	return length, err
}

// unfinished is the error of a rendition that ffmpeg has not written to its end. Mostly the disk is full.
func unfinished(folder string) error {
	if full := WantFree(folder, 0); full != nil {
		return full
	}
	return problem.New(problem.Unavailable,
		"The server could not write what it had converted. Ask the operator to check its disk, then start again.")
}

// wantLength compares the length of a rendition with that of the source. A coder adds and removes some milliseconds.
func (l *Ladder) wantLength(got time.Duration) error {
	tolerance := 400*time.Millisecond + l.Length/200
	if p := l.Source.Picture; p != nil { // ffmpeg counts to the beginning of the last picture
		tolerance += time.Duration(float64(time.Second) / max(1, p.Rate))
	}
	if diff := got - l.Length; diff.Abs() > tolerance {
		return problem.New(problem.RuleViolated,
			"Only %.1f s of the file's %.1f s could be converted: it is damaged. Upload it again.",
			got.Seconds(), l.Length.Seconds())
	}
	return nil
}

// readPlaylist reads a media playlist, the init file first, and measures its files.
func readPlaylist(folder string) (found []segment, err error) {
	text, err := os.ReadFile(filepath.Join(folder, playlist))
	if err != nil {
		return nil, fmt.Errorf("read the playlist: %w", err)
	}
	var lasts time.Duration
	ended := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#EXT-X-MAP:"):
			_, rest, _ := strings.Cut(line, `URI="`)
			file, _, _ := strings.Cut(rest, `"`)
			found = append(found, segment{file: file, isInit: true})
		case strings.HasPrefix(line, "#EXTINF:"):
			value, _, _ := strings.Cut(line[len("#EXTINF:"):], ",")
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				return nil, fmt.Errorf("read the playlist: %w", err)
			}
			lasts = time.Duration(number * float64(time.Second))
		case line == "#EXT-X-ENDLIST":
			ended = true
		case line != "" && line[0] != '#':
			found = append(found, segment{file: line, lasts: lasts})
		}
	}
	if !ended || len(found) < 2 || !found[0].isInit {
		return nil, errors.New("the playlist is not complete")
	}
	for n := range found {
		info, err := os.Stat(filepath.Join(folder, filepath.Base(found[n].file)))
		if err != nil {
			return nil, fmt.Errorf("find a segment: %w", err)
		}
		if found[n].size = info.Size(); found[n].size == 0 {
			return nil, fmt.Errorf("segment %s is empty", found[n].file)
		}
	}
	return found, nil
}

// bandwidth returns the peak and the average rate in bits a second, as RFC 8216 section 4.1 defines them: the peak is
// that of any row of segments that last 0.5 to 1.5 target durations.
func bandwidth(segments []segment) (peak, average int64) {
	var bytes int64
	var length, target time.Duration
	for _, s := range segments {
		bytes, length, target = bytes+s.size, length+s.lasts, max(target, s.lasts.Round(time.Second))
	}
	rate := func(bytes int64, lasts time.Duration) int64 {
		return int64(float64(8*bytes) / max(lasts.Seconds(), 0.001))
	}
	average = rate(bytes, length)
	peak = average
	for n := range segments {
		var bytes int64
		var lasts time.Duration
		for _, s := range segments[n:] {
			bytes, lasts = bytes+s.size, lasts+s.lasts
			if lasts > target*3/2 {
				break
			}
			if lasts >= target/2 && lasts > 0 {
				peak = max(peak, rate(bytes, lasts))
			}
		}
	}
	return peak, average
}

// videoCodec returns the codec of an H.264 init file: avc1 and profile, constraints and level of its avcC box
// (ISO/IEC 14496-15), as RFC 6381 has it.
func videoCodec(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the init file: %w", err)
	}
	_, box, found := bytes.Cut(content, []byte("avcC"))
	if !found || len(box) < 4 {
		return "", errors.New("the init file has no H.264")
	}
	return fmt.Sprintf("avc1.%02x%02x%02x", box[1], box[2], box[3]), nil
}

// lengthOf reads a file back that this package has made, and returns its length.
func (s Settings) lengthOf(ctx context.Context, dir, file string) (length time.Duration, err error) {
	err = s.ffmpeg(ctx, dir, func(at time.Duration) { length = at },
		append(append([]string{"-xerror"}, probe.Input(filepath.Join(dir, file))...),
			"-map", "0", "-c", "copy", "-f", "null", "-")...)
	return length, err
}
