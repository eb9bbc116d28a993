package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

// Formats are the containers that may be read. None of them names other files or addresses: playlists, image sequences
// and text formats are not among them.
const Formats = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,wav,w64,aiff,flac,mp3,aac,ac3,eac3,amr,caf,dv,mxf,au,ivf," +
	"wv,ape,tta"

const maxStreams = 100

// Input returns the options of ffprobe and ffmpeg for a file of unknown origin.
func Input(path string) []string {
	return []string{"-protocol_whitelist", "file", "-format_whitelist", Formats, "-max_streams", strconv.Itoa(maxStreams),
		"-i", "file:" + path}
}

func dirOf(path string) string { return filepath.Dir(path) }

// described is what ffprobe says of a file.
type described struct {
	Streams []stream
	Format  struct {
		Name     string `json:"format_name"`
		Start    string `json:"start_time"`
		Duration string
	}
}

type stream struct {
	Index       int
	Codec       string `json:"codec_name"`
	Type        string `json:"codec_type"`
	Width       int
	Height      int
	Aspect      string `json:"sample_aspect_ratio"`
	PixelFormat string `json:"pix_fmt"`
	Range       string `json:"color_range"`
	Matrix      string `json:"color_space"`
	Transfer    string `json:"color_transfer"`
	Primaries   string `json:"color_primaries"`
	FieldOrder  string `json:"field_order"`
	Channels    int
	BaseRate    string `json:"r_frame_rate"`
	Rate        string `json:"avg_frame_rate"`
	Duration    string
	BitRate     string `json:"bit_rate"`
	Disposition struct {
		Default    int
		Picture    int `json:"attached_pic"`
		Thumbnails int `json:"timed_thumbnails"`
	}
	SideData []struct {
		Rotation float64
	} `json:"side_data_list"`
}

// measureTracks reads a video or a sound file by ffprobe.
func measureTracks(ctx context.Context, path string, head []byte, limits Limits) (*Media, error) {
	d, err := describe(ctx, path, limits)
	if err != nil {
		return nil, err
	}
	video, audio, cover := d.choose()
	if video == nil && audio == nil {
		return nil, problem.New(problem.UnsupportedMediaType,
			"The file holds neither a picture nor a sound that Itemcast can read.")
	}
	counts, err := count(ctx, path, d, limits)
	if err != nil {
		return nil, err
	}
	m := &Media{Kind: Video, Format: d.Format.Name, Start: seconds(d.Format.Start)}
	if audio != nil && counts[audio.Index].packets > 0 {
		m.Sound = &Sound{Track: counts[audio.Index].track(audio, m.Start), Channels: audio.Channels}
		m.Length = m.Sound.End
	}
	if video != nil && counts[video.Index].packets > 0 {
		m.Picture = picture(video, counts[video.Index], m.Start)
		m.Length = max(m.Length, m.Picture.End)
	} else {
		m.Kind, m.Cover = Audio, cover
	}
	if m.Picture == nil && m.Sound == nil {
		return nil, problem.New(problem.RuleViolated,
			"The file describes its content, but does not hold it: it was cut off. Upload it again.")
	}
	m.ContentType = contentType(m, head)
	return m, check(m, d, counts, limits)
}

func describe(ctx context.Context, path string, limits Limits) (*described, error) {
	args := append([]string{"-v", "error", "-of", "json", "-show_format", "-show_streams", "-max_pixels",
		strconv.Itoa(limits.Pixels)}, Input(path)...)
	result, err := program.Run(ctx, program.Command{Name: "ffprobe", Args: args, Dir: dirOf(path), Limits: limits.Program})
	if err != nil {
		return nil, explain(err)
	}
	var d described
	if err := json.Unmarshal(result.Output, &d); err != nil {
		return nil, fmt.Errorf("read ffprobe's answer: %w", err)
	}
	return &d, nil
}

// choose returns the streams to show: the first picture that is no cover, the first default sound, else the first one.
func (d *described) choose() (video, audio *stream, cover *int) {
	for n := range d.Streams {
		s := &d.Streams[n]
		known := s.Codec != "" && s.Codec != "unknown" && s.Codec != "none"
		switch {
		case !known:
		case s.Type == "video" && (s.Disposition.Picture == 1 || s.Disposition.Thumbnails == 1):
			if cover == nil {
				cover = &s.Index
			}
		case s.Type == "video" && s.Width > 0 && s.Height > 0 && video == nil:
			video = s
		case s.Type == "audio" && s.Channels > 0 &&
			(audio == nil || s.Disposition.Default == 1 && audio.Disposition.Default == 0):
			audio = s
		}
	}
	return video, audio, cover
}

func picture(s *stream, c *counter, start time.Duration) *Picture {
	p := &Picture{Track: c.track(s, start), Width: s.Width, Height: s.Height, PixelFormat: s.PixelFormat,
		Matrix: known(s.Matrix), Transfer: known(s.Transfer), Primaries: known(s.Primaries),
		FullRange:  s.Range == "pc" || strings.HasPrefix(s.PixelFormat, "yuvj"),
		Interlaced: slices.Contains([]string{"tt", "bb", "tb", "bt"}, s.FieldOrder),
		Rate:       c.rate(), LongestStill: c.longest}
	// ffmpeg widens to square pixels before it turns the picture.
	if aspect := ratio(s.Aspect, ":"); aspect >= 0.1 && aspect <= 10 {
		p.Width = max(1, int(math.Round(float64(s.Width)*aspect)))
	}
	for _, side := range s.SideData {
		if side.Rotation != 0 {
			p.Rotation = (360 - int(math.Round(side.Rotation))%360) % 360
		}
	}
	if p.Rotation%180 == 90 {
		p.Width, p.Height = p.Height, p.Width
	}
	base := ratio(s.BaseRate, "/")
	p.Uniform = base > 0 && math.Abs(base-p.Rate) < 0.02*base && c.longest.Seconds()*base < 1.5
	if p.Rate == 0 {
		p.Rate = min(base, 60)
	}
	return p
}

// check holds a file to the limits, and to its own word about its length where the format's word is good.
func check(m *Media, d *described, counts []*counter, limits Limits) error {
	if m.Length <= 0 {
		return problem.New(problem.RuleViolated, "The file has no length: it was cut off. Upload it again.")
	}
	if m.Length > limits.Length {
		return problem.New(problem.RuleViolated, "The file lasts %s, and may last %s.", clock(m.Length), clock(limits.Length))
	}
	if p := m.Picture; p != nil && p.Width*p.Height > limits.Pixels {
		return problem.New(problem.RuleViolated, "The picture has %d × %d pixels, and may have %d million.",
			p.Width, p.Height, limits.Pixels/1_000_000)
	}
	if !hasIndex(d.Format.Name) {
		return nil
	}
	said, found := seconds(d.Format.Duration), time.Duration(0)
	for n := range counts {
		found = max(found, counts[n].end()-m.Start)
	}
	if said-found > time.Second/2+said/200 {
		return problem.New(problem.RuleViolated,
			"The file was cut off: it holds %s of its %s. Upload it again.", clock(found), clock(said))
	}
	return nil
}

// hasIndex reports whether the header of a format says how long the file is. Others let ffprobe guess.
func hasIndex(format string) bool {
	return strings.HasPrefix(format, "mov,") || strings.HasPrefix(format, "matroska,") || format == "avi" ||
		format == "flac"
}

func known(value string) string {
	if value == "unknown" || value == "reserved" || value == "unspecified" {
		return ""
	}
	return value
}

// ratio reads "30000/1001" and "4:3"; 0: none.
func ratio(text, between string) float64 {
	above, below, ok := strings.Cut(text, between)
	a, errA := strconv.ParseFloat(above, 64)
	b, errB := strconv.ParseFloat(below, 64)
	if !ok || errA != nil || errB != nil || b == 0 {
		return 0
	}
	return a / b
}

// seconds reads a number of seconds; 0 for none.
func seconds(text string) time.Duration {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || math.Abs(value) > 1e9 {
		return 0
	}
	return time.Duration(value * float64(time.Second))
}

// clock writes a length for people.
func clock(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
}
