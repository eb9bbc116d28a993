// Package caption checks subtitles that people upload, and converts SubRip to WebVTT.
//
// An uploaded WebVTT is kept byte for byte: ffmpeg would stop reading at a STYLE or REGION block and exit with 0.
// SubRip has no specification: the package takes what subtitle programs write, and escapes what a browser would take
// for markup.
package caption

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"itemcast/internal/problem"
)

// MaxBytes is the largest file of subtitles.
const MaxBytes = 10 << 20

// ContentType is that of WebVTT.
const ContentType = "text/vtt"

var bom = []byte("\uFEFF")

// ToWebVTT returns subtitles as WebVTT, and the number of their cues. WebVTT stays as it is. Errors: TOO_LARGE, or
// UNSUPPORTED_MEDIA_TYPE if the text is not UTF-8, or neither WebVTT nor SubRip, or has no cue.
func ToWebVTT(text []byte) (vtt []byte, cues int, err error) {
	if len(text) > MaxBytes {
		return nil, 0, problem.New(problem.TooLarge, "Subtitles may have %d MiB.", MaxBytes>>20)
	}
	if !utf8.Valid(text) {
		return nil, 0, problem.New(problem.UnsupportedMediaType,
			"The subtitles are not in UTF-8. Save them as UTF-8, and upload them again.")
	}
	plain := strings.ReplaceAll(string(bytes.TrimPrefix(text, bom)), "\r\n", "\n")
	plain = strings.ReplaceAll(plain, "\r", "\n")
	if isWebVTT(plain) {
		if cues = countCues(plain); cues == 0 {
			return nil, 0, noCue()
		}
		return text, cues, nil
	}
	found := readSubRip(plain)
	if len(found) == 0 {
		return nil, 0, noCue()
	}
	return writeWebVTT(found), len(found), nil
}

func noCue() error {
	return problem.New(problem.UnsupportedMediaType,
		"The file holds no subtitles in WebVTT or SubRip (SRT). Upload one of these formats.")
}

// isWebVTT reports whether a text begins as the WebVTT specification asks (section 4.1).
func isWebVTT(text string) bool {
	rest, ok := strings.CutPrefix(text, "WEBVTT")
	return ok && (rest == "" || strings.ContainsAny(rest[:1], " \t\n"))
}

// countCues counts the lines with the times of a cue.
func countCues(text string) (cues int) {
	for line := range strings.SplitSeq(text, "\n") {
		if _, _, ok := times(line); ok {
			cues++
		}
	}
	return cues
}
