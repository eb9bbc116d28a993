package upload

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"itemcast/internal/media"
)

const (
	maxName = 200 // bytes, which file systems and stores take as a part of a path
	noName  = "file"
)

// formEscapes are the three characters that browsers escape in the file names of a form, and no other (WHATWG HTML,
// "multipart/form-data encoding algorithm").
var formEscapes = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n")

// CleanName returns the name of a file as its user knows it, from the name in a form: without what the browser has
// escaped, without folders of Unix or Windows, in UTF-8, and without control characters. A name that is too long is cut
// before its extension. One that could pass for a file that processing makes gets another beginning.
func CleanName(name string) string {
	name = formEscapes.Replace(name)
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	name = strings.ToValidUTF8(name, "\uFFFD")
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return -1
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d': // hidden, and able to reorder the name
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if strings.Trim(name, ".") == "" {
		return noName
	}
	if strings.HasPrefix(name, media.MadePrefix) {
		name = "_" + name
	}
	return shorten(name)
}

func shorten(name string) string {
	if len(name) <= maxName {
		return name
	}
	extension := ""
	if at := strings.LastIndexByte(name, '.'); at > 0 && len(name)-at <= 20 {
		extension = name[at:]
	}
	keep := maxName - len(extension)
	for keep > 0 && !utf8.RuneStart(name[keep]) {
		keep--
	}
	return name[:keep] + extension
}
