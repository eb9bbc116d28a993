package caption

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// cue is a subtitle.
type cue struct {
	begin, end time.Duration
	lines      []string
}

// A line with times, as SubRip (01:02:03,004) or WebVTT (02:03.004) writes them. Positions may follow.
var timeLine = regexp.MustCompile(
	`^\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})\s*-->` +
		`\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})(?:\s.*)?$`)

func times(line string) (begin, end time.Duration, ok bool) {
	m := timeLine.FindStringSubmatch(line)
	if m == nil {
		return 0, 0, false
	}
	return moment(m[1:5]), moment(m[5:9]), true
}

func moment(parts []string) time.Duration {
	number := func(text string) time.Duration {
		n, _ := strconv.Atoi(text) // digits, by the pattern; an absent hour is 0
		return time.Duration(n)
	}
	ms := parts[3] + strings.Repeat("0", 3-len(parts[3])) // ",5" is half a second
	return number(parts[0])*time.Hour + number(parts[1])*time.Minute + number(parts[2])*time.Second +
		number(ms)*time.Millisecond
}

// readSubRip finds cues by their lines with times, since numbers and empty lines are often wrong. A cue that ends
// before it begins cannot be shown, and is left out.
func readSubRip(text string) (found []cue) {
	lines := strings.Split(text, "\n")
	for n := 0; n < len(lines); n++ {
		begin, end, ok := times(lines[n])
		if !ok {
			continue
		}
		c := cue{begin: begin, end: end}
		for n+1 < len(lines) && !beginsCue(lines[n+1:]) {
			n++
			c.lines = append(c.lines, strings.TrimRight(lines[n], " \t"))
		}
		for len(c.lines) > 0 && c.lines[len(c.lines)-1] == "" {
			c.lines = c.lines[:len(c.lines)-1]
		}
		if c.end > c.begin && len(c.lines) > 0 {
			found = append(found, c)
		}
	}
	return found
}

// beginsCue reports whether the lines begin with a cue: its times, or its number and then its times.
func beginsCue(lines []string) bool {
	if _, _, ok := times(lines[0]); ok {
		return true
	}
	if _, err := strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || len(lines) < 2 {
		return false
	}
	_, _, ok := times(lines[1])
	return ok
}

func writeWebVTT(cues []cue) []byte {
	var out bytes.Buffer
	out.WriteString("WEBVTT\n")
	for _, c := range cues {
		fmt.Fprintf(&out, "\n%s --> %s\n", clock(c.begin), clock(c.end))
		for _, line := range c.lines {
			if line == "" {
				line = " " // an empty line would end the cue
			}
			out.WriteString(escape(line) + "\n")
		}
	}
	return out.Bytes()
}

func clock(d time.Duration) string {
	ms := d.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

var (
	override = regexp.MustCompile(`\{\\[^}]*\}`)               // of SubStation Alpha, such as {\an8}
	font     = regexp.MustCompile(`(?i)</?font(?:\s[^<>]*)?>`) // WebVTT has no fonts
	markup   = regexp.MustCompile(`(?i)</?[biu]>`)
	escaper  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
)

// escape keeps bold, italic and underlined text, drops what SubRip files borrow from other formats, and escapes the
// rest. An entity that stands in the text already stays one.
func escape(line string) string {
	line = font.ReplaceAllString(override.ReplaceAllString(line, ""), "")
	var out strings.Builder
	for {
		at := markup.FindStringIndex(line)
		if at == nil {
			break
		}
		out.WriteString(escapeText(line[:at[0]]))
		out.WriteString(strings.ToLower(line[at[0]:at[1]]))
		line = line[at[1]:]
	}
	out.WriteString(escapeText(line))
	return out.String()
}

var entity = regexp.MustCompile(`&amp;(amp|lt|gt|nbsp|lrm|rlm);`)

func escapeText(text string) string { return entity.ReplaceAllString(escaper.Replace(text), "&$1;") }
