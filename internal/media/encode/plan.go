package encode

import (
	"fmt"
	"math"
	"time"

	"itemcast/internal/media/probe"
)

// Ladder is what Run makes of a source.
type Ladder struct {
	Source   *probe.Media
	Settings Settings
	Length   time.Duration // of every rendition
	Sound    bool
	Rungs    []Rung // of the picture, the lowest first
}

// Rung is one size of the picture.
type Rung struct {
	Name          string // "720p": its folder
	Width, Height int    // even, in square pixels
	MaxRate       int64  // bits a second
}

const (
	soundRate      = 128_000 // bits a second, of two channels
	monoRate       = 80_000
	bitsPerPixel   = 0.1 // of 720p with 30 pictures a second
	referencePixel = 1280 * 720
	maxFrameRate   = 60.0

	// A playlist of a single picture would last 11 µs, and players refuse it.
	minLength = 500 * time.Millisecond
)

var standardSides = []int{360, 720, 1080, 1440, 2160}

// Plan returns the ladder of a video or a sound file.
func Plan(m *probe.Media, s Settings) *Ladder {
	l := &Ladder{Source: m, Settings: s.withDefaults(), Length: max(m.Length, minLength), Sound: m.Sound != nil}
	if p := m.Picture; p != nil {
		for _, side := range sides(min(p.Width, p.Height), l.Settings.ShortSide) {
			l.Rungs = append(l.Rungs, rung(p, side, frameRate(p)))
		}
	}
	return l
}

// sides returns the short sides of the rungs: the standard ones that are clearly smaller than the largest, and the
// largest, which is the source's or the limit.
func sides(source, limit int) (found []int) {
	largest := max(2, min(source, limit))
	for _, side := range standardSides {
		if float64(side)*1.25 < float64(largest) {
			found = append(found, side)
		}
	}
	return append(found, largest)
}

// rung fits the picture into a short side, and a long side of at most 32:9.
func rung(p *probe.Picture, side int, rate float64) Rung {
	short, long := float64(min(p.Width, p.Height)), float64(max(p.Width, p.Height))
	scale := min(1, float64(side)/short, max(float64(side)*32/9, 320)/long)
	r := Rung{Width: even(float64(p.Width) * scale), Height: even(float64(p.Height) * scale)}
	r.Name = fmt.Sprintf("%dp", side)
	r.MaxRate = bitRate(r.Width*r.Height, rate)
	if p.BitRate > 0 { // x264 at a fast preset may need twice the bits of a newer codec
		r.MaxRate = min(r.MaxRate, max(2*p.BitRate, 100_000))
	}
	return r
}

// even rounds to an even number of pixels, at least 2.
func even(pixels float64) int { return max(2, 2*int(math.Round(pixels/2))) }

// bitRate is a tenth of a bit for each pixel of 720p, and fewer for larger pictures. A picture beyond 30 a second costs
// half.
func bitRate(pixels int, rate float64) int64 {
	rate = max(rate, 15)
	if rate > 30 {
		rate = 30 + (min(rate, maxFrameRate)-30)/2
	}
	perPixel := bitsPerPixel * math.Pow(referencePixel/float64(pixels), 0.2)
	return max(64_000, int64(float64(pixels)*rate*perPixel)/1000*1000)
}

// frameRate is the rate at which the picture moves, at most 60: a higher one loses every second, third … picture.
func frameRate(p *probe.Picture) float64 {
	rate := p.Rate
	if rate <= 0 {
		return 25
	}
	return rate / math.Ceil(rate/(maxFrameRate+1))
}

// constantRate is the constant frame rate that the renditions need; 0: they keep the time stamps of the source. A
// picture that begins late, stands still for long or ends early needs filling, and filling needs a rate.
func (l *Ladder) constantRate() float64 {
	p := l.Source.Picture
	rate := max(1, min(frameRate(p), maxFrameRate))
	switch {
	case p.Rate > maxFrameRate+1, p.LongestStill > time.Second, p.Start > 100*time.Millisecond:
		return rate
	case !p.Uniform && l.padding() > 0:
		return rate
	}
	return 0
}

// padding is the time for which the last picture stands while sound goes on.
func (l *Ladder) padding() time.Duration {
	if missing := l.Length - l.Source.Picture.End; missing > 20*time.Millisecond {
		return missing
	}
	return 0
}
