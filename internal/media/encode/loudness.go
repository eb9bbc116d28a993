package encode

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

const (
	silence  = -60.0 // LUFS, below which there is nothing to raise
	headroom = -1.0  // dBFS of the highest sample
	maxGain  = 20.0  // dB
	minGain  = 0.5   // dB, below which nobody hears a difference
)

// measureGain returns the gain in dB that brings the sound to the loudness of the settings (EBU R 128), and its peak to
// at most the headroom. It is one number for the whole sound, so its dynamics stay.
func (l *Ladder) measureGain(ctx context.Context, source, folder string, at func(time.Duration)) (float64, error) {
	filter := soundFilter(l.Source.Sound) + ",ebur128=peak=sample:framelog=verbose"
	args := append(l.input(source), "-map", fmt.Sprintf("0:%d", l.Source.Sound.Stream), "-vn", "-sn", "-dn", "-af", filter,
		"-f", "null", "-")
	words, err := l.Settings.tellingFFmpeg(ctx, folder, "info", at, args...)
	if err != nil {
		return 0, err
	}
	return gain(words, l.Settings.Loudness), nil
}

// The last of each in the summary of the filter ebur128.
var (
	integrated = regexp.MustCompile(`I:\s+(-?[0-9.]+) LUFS`)
	samplePeak = regexp.MustCompile(`Peak:\s+(-?[0-9.]+) dBFS`)
)

func gain(words string, loudness float64) float64 {
	measured, ok := last(integrated, words)
	peak, okPeak := last(samplePeak, words)
	if !ok || !okPeak || measured < silence {
		return 0
	}
	found := min(loudness-measured, headroom-peak, maxGain)
	if math.Abs(found) < minGain {
		return 0
	}
	return found
}

func last(pattern *regexp.Regexp, words string) (float64, bool) {
	all := pattern.FindAllStringSubmatch(words, -1)
	if len(all) == 0 {
		return 0, false
	}
	value, err := strconv.ParseFloat(all[len(all)-1][1], 64)
	return value, err == nil
}
