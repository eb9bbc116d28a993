package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"itemcast/internal/media/encode"
	"itemcast/internal/media/probe"
)

// maxTimeToPlay is for a minute of 1080p on two cores.
const maxTimeToPlay = 15 * time.Second

// timeToPlay measures the time from the last byte of a video to the moment at which its lowest rung, with its sound,
// can be fetched. Its baseline makes the same two renditions with the same settings by one call of ffmpeg, from a file
// that is there, and checks nothing.
func timeToPlay(ctx context.Context, s *stage) (result, error) {
	dir, err := os.MkdirTemp(s.this.dir, "clip-*")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	clip, err := makeClip(ctx, dir, s.clipLength())
	if err != nil {
		return result{}, err
	}
	r, err := s.alternate(ctx, s.rounds(min(s.Rounds, maxSlowRounds)), p50Of,
		s.sides(func(ctx context.Context, b *build) (round, error) { return b.timeToPlay(ctx, clip) },
			func(ctx context.Context) (round, error) { return encodeByHand(ctx, clip, dir) }))
	if err != nil {
		return r, err
	}
	if took := r.this.latencies.percentile(50); took > maxTimeToPlay {
		r.unmet = append(r.unmet, fmt.Sprintf("%.1f s", took.Seconds()))
	}
	r.note(func(one side) string {
		return fmt.Sprintf("%s of 1080p play %.1f s after their last byte (ffmpeg by hand: %.1f s).", s.clipLength(),
			one.latencies.percentile(50).Seconds(), r.baseline.latencies.percentile(50).Seconds())
	})
	return r, nil
}

func (b *build) timeToPlay(ctx context.Context, clip string) (round, error) {
	in, err := b.makeInbox(ctx, process)
	if err != nil {
		return round{}, err
	}
	used := b.processes().cpuUsed()
	id, sent, err := in.sendClip(ctx, clip)
	if err != nil {
		return round{}, err
	}
	playable, err := b.awaitMade(ctx, id, isPlayable)
	if err != nil {
		return round{}, err
	}
	urls, err := segments(ctx, playable.playlist())
	if err != nil {
		return round{}, err
	}
	if _, err := download(ctx, urls[0]); err != nil {
		return round{}, err
	}
	took, used := time.Since(sent), b.processes().cpuUsed().minus(used)
	used.generator = 0                         // ffmpeg by hand has none
	_, err = b.awaitMade(ctx, id, isCompleted) // the other rungs would disturb the next round
	return round{latencies: latencies{took}, count: 1, cpu: used}, err
}

// encodeByHand makes the sound and the lowest rung of a clip.
func encodeByHand(ctx context.Context, clip, dir string) (round, error) {
	m, err := probe.File(ctx, clip, probe.Limits{})
	if err != nil {
		return round{}, err
	}
	ladder := encode.Plan(m, encode.Settings{})
	rung, settings := ladder.Rungs[0], ladder.Settings
	hls := func(folder string) []string {
		return []string{"-f", "hls", "-hls_time", fmt.Sprint(settings.Segment.Seconds()), "-hls_playlist_type", "vod",
			"-hls_segment_type", "fmp4", "-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4",
			"-hls_segment_filename", filepath.Join(folder, "segment_%05d.m4s"), filepath.Join(folder, "playlist.m3u8")}
	}
	folders := []string{filepath.Join(dir, "picture"), filepath.Join(dir, "sound")}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return round{}, err
		}
		defer os.RemoveAll(folder)
	}
	args := []string{"-threads", fmt.Sprint(settings.Threads), "-i", clip,
		"-map", "0:V:0", "-vf", fmt.Sprintf("scale=%d:%d,format=yuv420p", rung.Width, rung.Height), "-fps_mode", "vfr",
		"-c:v", "libx264", "-preset", settings.Preset, "-profile:v", "high", "-crf", "23",
		"-maxrate", fmt.Sprint(rung.MaxRate), "-bufsize", fmt.Sprint(2 * rung.MaxRate),
		"-threads", fmt.Sprint(settings.Threads), "-bf", "0", "-g", "100000", "-sc_threshold", "0",
		"-force_key_frames", fmt.Sprintf("expr:gte(t,n_forced*%g)", settings.Segment.Seconds())}
	args = append(args, hls(folders[0])...)
	args = append(args, "-map", "0:a:0", "-c:a", "aac", "-b:a", "128k")
	args = append(args, hls(folders[1])...)
	begun := time.Now()
	used, err := ffmpeg(ctx, dir, args...)
	return round{latencies: latencies{time.Since(begun)}, count: 1, cpu: used}, err
}
