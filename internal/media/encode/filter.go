package encode

import (
	"fmt"
	"strings"
	"time"

	"itemcast/internal/media/probe"
)

// colors are those of a filter's output.
type colors string

const (
	forVideo colors = "out_color_matrix=bt709:out_range=tv,format=yuv420p"
	// JPEG numbers are those of BT.601: without a conversion, readers see BT.709 numbers in wrong colours.
	forStill colors = "out_color_matrix=bt601:out_range=pc,format=yuvj420p"
)

// pictureFilter turns the source's picture, which ffmpeg has turned upright, into a size and colours.
func pictureFilter(p *probe.Picture, width, height int, to colors) string {
	var steps []string
	if p.Interlaced {
		steps = append(steps, "bwdif=mode=send_frame:deint=interlaced")
	}
	if p.IsHDR() {
		steps = append(steps, toneMapping(p, width, height), fmt.Sprintf("scale=in_color_matrix=bt709:in_range=tv:%s", to))
	} else {
		steps = append(steps, fmt.Sprintf("scale=%d:%d:flags=bicubic:in_color_matrix=%s%s:%s", width, height, inMatrix(p),
			inRange(p), to))
	}
	return strings.Join(append(steps, "setsar=1"), ",")
}

// inMatrix is the matrix of the source. Players take an untagged picture for BT.601 if it is small.
func inMatrix(p *probe.Picture) string {
	switch {
	case p.Matrix != "":
		return "auto"
	case min(p.Width, p.Height) < 720:
		return "bt601"
	}
	return "bt709"
}

func inRange(p *probe.Picture) string {
	if p.FullRange {
		return ":in_range=pc"
	}
	return ""
}

// toneMapping brings PQ and HLG to BT.709 for ordinary screens, in linear light. What the source does not say is
// BT.2020.
func toneMapping(p *probe.Picture, width, height int) string {
	matrix, primaries := p.Matrix, p.Primaries
	if !strings.HasPrefix(matrix, "bt") {
		matrix = "bt2020nc"
	}
	if !strings.HasPrefix(primaries, "bt") {
		primaries = "bt2020"
	}
	between := "tv"
	if p.FullRange {
		between = "pc"
	}
	return fmt.Sprintf("setparams=color_trc=%s:colorspace=%s:color_primaries=%s:range=%s,"+
		"zscale=w=%d:h=%d:t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"+
		"zscale=t=bt709:m=bt709:r=tv,format=yuv420p", p.Transfer, matrix, primaries, between, width, height)
}

// timing fills what the source's picture lacks: pictures while it stands still, at its begin and after its end.
func (l *Ladder) timing() (filters string) {
	var steps []string
	if rate := l.constantRate(); rate > 0 {
		steps = append(steps, fmt.Sprintf("fps=fps=%.5f:start_time=0", rate))
	}
	if missing := l.padding(); missing > 0 {
		steps = append(steps, fmt.Sprintf("tpad=stop_mode=clone:stop_duration=%s", seconds(missing)))
	}
	return strings.Join(steps, ",")
}

// soundFilter makes sound of one or two channels whose silences are filled. It leaves one channel one.
func soundFilter(s *probe.Sound) string {
	layout := "stereo"
	if s.Channels == 1 {
		layout = "mono"
	}
	// Without rematrix_maxval, six channels of AAC become two that are up to 8 dB over full scale.
	return "aresample=48000:async=1:first_pts=0:rematrix_maxval=1.0," +
		"aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=" + layout
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }
