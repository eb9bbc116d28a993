package encode

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"itemcast/internal/media/probe"
)

// Rendition is one folder of HLS that has been checked.
type Rendition struct {
	Name          string   // "720p" or "sound": its folder in the scratch folder
	Files         []string // in the folder; the playlist is the last one
	Size          int64    // of the files, in bytes
	Width, Height int      // 0 for sound
	Rate          float64  // pictures a second; 0: variable, or sound
	Codec         string   // as RFC 6381 has it
	Peak, Average int64    // bits a second
	Length        time.Duration
}

// IsSound reports whether the rendition is the sound.
func (r *Rendition) IsSound() bool { return r.Width == 0 }

const (
	soundFolder = "sound"
	loudness    = "loudness" // a step without a rendition
	playlist    = "playlist.m3u8"
)

// Run encodes a source into folders of dir: the sound beside the lowest rung, then the other rungs from the lowest.
// done gets each rendition when it has been checked, the sound first; its error ends Run. progress gets 0 to 100, never
// less than before. Both are called by one goroutine at a time.
func (l *Ladder) Run(
	ctx context.Context, source, dir string, progress func(percent int), done func(Rendition) error,
) error {
	work := l.newWork(progress)
	for _, steps := range l.stages() {
		made := make([]Rendition, len(steps))
		group, beside := errgroup.WithContext(ctx)
		for n, s := range steps {
			group.Go(func() (err error) {
				made[n], err = l.make(beside, s, source, dir, work)
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for _, r := range made {
			if err := done(r); err != nil {
				return err
			}
		}
	}
	work.end()
	return nil
}

// step makes one rendition.
type step struct {
	name   string
	rate   int64 // bits a second, at most
	encode func(ctx context.Context, source, folder string, work *work) (Rendition, error)
}

// stages returns the steps, those together that run at once. Nothing plays before the sound and the lowest rung are
// there. The sound's programs need one processor, and those of the rung leave some of two idle.
func (l *Ladder) stages() (stages [][]step) {
	if l.Sound {
		stages = append(stages, []step{{soundFolder, soundRate, l.encodeSound}})
	}
	for n, r := range l.Rungs {
		s := step{r.Name, r.MaxRate, func(ctx context.Context, source, folder string, work *work) (Rendition, error) {
			return l.encodeRung(ctx, r, source, folder, work)
		}}
		if n == 0 && l.Sound {
			stages[0] = append(stages[0], s)
		} else {
			stages = append(stages, []step{s})
		}
	}
	return stages
}

// make takes a step in a folder of its own: two in one folder would share the name init.mp4.
func (l *Ladder) make(ctx context.Context, s step, source, dir string, work *work) (Rendition, error) {
	folder, err := makeFolder(dir, s.name)
	if err != nil {
		return Rendition{}, err
	}
	if err := WantFree(dir, int64(l.Length.Seconds()*float64(s.rate)/8)); err != nil {
		return Rendition{}, err
	}
	r, err := s.encode(ctx, source, folder, work)
	if err != nil {
		return r, fmt.Errorf("encode %s: %w", s.name, err)
	}
	r.Name = s.name
	if err := l.verify(ctx, &r, folder); err != nil {
		return r, fmt.Errorf("check %s: %w", s.name, err)
	}
	work.finish(s.name)
	return r, nil
}

func (l *Ladder) encodeRung(ctx context.Context, r Rung, source, folder string, work *work) (Rendition, error) {
	p, s := l.Source.Picture, l.Settings
	filter := pictureFilter(p, r.Width, r.Height, forVideo)
	if timing := l.timing(); timing != "" {
		filter += "," + timing
	}
	args := append(l.input(source), "-map", fmt.Sprintf("0:%d", p.Stream), "-an", "-sn", "-dn",
		"-map_metadata", "-1", "-map_chapters", "-1", "-vf", filter, "-fps_mode", "vfr", "-enc_time_base", "1:90000",
		"-c:v", "libx264", "-preset", s.Preset, "-profile:v", "high", "-pix_fmt", "yuv420p", "-crf", "23",
		"-maxrate", fmt.Sprint(r.MaxRate), "-bufsize", fmt.Sprint(2*r.MaxRate), "-threads", fmt.Sprint(s.Threads),
		// With B-frames the first picture would be shown two pictures late, as its decoding may not begin before 0. The
		// sound comes from another run, which does not know that.
		"-bf", "0",
		// Key pictures at the same times in every rung, and at no others.
		"-g", "100000", "-sc_threshold", "0",
		"-force_key_frames", fmt.Sprintf("expr:gte(t,n_forced*%s)", seconds(s.Segment)),
		"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
	err := s.ffmpeg(ctx, folder, work.follow(r.Name), append(args, s.hls()...)...)
	return Rendition{Width: r.Width, Height: r.Height, Rate: l.playedRate()}, err
}

// playedRate is the frame rate that a playlist names; 0: it varies.
func (l *Ladder) playedRate() float64 {
	if rate := l.constantRate(); rate > 0 {
		return rate
	}
	if l.Source.Picture.Uniform {
		return l.Source.Picture.Rate
	}
	return 0
}

func (l *Ladder) encodeSound(ctx context.Context, source, folder string, work *work) (Rendition, error) {
	s, sound := l.Settings, l.Source.Sound
	gain, err := l.measureGain(ctx, source, folder, work.follow(loudness))
	if err != nil {
		return Rendition{}, err
	}
	work.finish(loudness)
	filter := soundFilter(sound)
	if gain != 0 {
		filter += fmt.Sprintf(",volume=%.2fdB", gain)
	}
	filter += ",apad=whole_dur=" + seconds(l.Length)
	rate := soundRate
	if sound.Channels == 1 {
		rate = monoRate
	}
	args := append(l.input(source), "-map", fmt.Sprintf("0:%d", sound.Stream), "-vn", "-sn", "-dn",
		"-map_metadata", "-1", "-map_chapters", "-1", "-af", filter, "-c:a", "aac", "-b:a", fmt.Sprint(rate))
	err = s.ffmpeg(ctx, folder, work.follow(soundFolder), append(args, s.hls()...)...)
	return Rendition{Codec: "mp4a.40.2"}, err
}

func (l *Ladder) input(source string) []string {
	return append([]string{"-threads", fmt.Sprint(l.Settings.Threads)}, probe.Input(source)...)
}

// hls is the output of a rendition, in the current folder.
func (s Settings) hls() []string {
	return []string{"-f", "hls", "-hls_time", seconds(s.Segment), "-hls_playlist_type", "vod",
		"-hls_segment_type", "fmp4", "-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4",
		"-hls_segment_filename", "segment_%05d.m4s", playlist}
}
