package receiving

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Printer shows deliveries to people, a line each.
type Printer struct {
	Out     io.Writer
	Colours bool
	Headers bool // below the line
	Body    bool // below the line, indented
}

const (
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// Print writes a delivery. What comes from the wire is escaped, because a terminal obeys control characters.
func (p Printer) Print(d *Delivery) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %-14s  %-8s  %-36s  %-5s %9s  %s  %s", p.paint(dim, d.At.Local().Format("15:04:05.000")),
		told(d.Event), told(d.Trigger), told(d.Item), revision(d.Revision), latency(d.Latency), p.verdict(d), p.answer(d))
	for _, note := range notes(d) {
		b.WriteString("  " + p.paint(yellow, note))
	}
	if d.Target != "/" {
		b.WriteString("  " + p.paint(dim, "at "+told(d.Target)))
	}
	b.WriteByte('\n')
	if p.Headers {
		for _, name := range slices.Sorted(maps.Keys(d.Header)) {
			for _, value := range d.Header[name] {
				fmt.Fprintf(&b, "    %s %s\n", p.paint(dim, strings.ToLower(name)+":"), escape(value, ""))
			}
		}
	}
	if p.Body {
		b.WriteString("    " + strings.ReplaceAll(escape(indented(d.Body), "\n"), "\n", "\n    ") + "\n")
	}
	_, _ = p.Out.Write(b.Bytes())
}

// Note writes what is no delivery.
func (p Printer) Note(text string) {
	fmt.Fprintln(p.Out, p.paint(yellow, escape(text, "")))
}

func (p Printer) verdict(d *Delivery) string {
	switch {
	case !d.Checked:
		return p.paint(yellow, "not checked")
	case d.Verified():
		return p.paint(green, "verified")
	default:
		return p.paint(red, "WRONG SIGNATURE ("+escape(d.Fault.Error(), "")+")")
	}
}

func (p Printer) answer(d *Delivery) string {
	if d.Answer.Accepted() {
		return p.paint(green, "→ "+d.Answer.String())
	}
	return p.paint(red, "→ "+d.Answer.String())
}

func notes(d *Delivery) (all []string) {
	if d.Repeated() {
		note := fmt.Sprintf("repeated (attempt %d)", d.Attempt)
		if d.Accepted {
			note = fmt.Sprintf("repeated (attempt %d, accepted before)", d.Attempt)
		}
		all = append(all, note)
	}
	if d.OutOfOrder > 0 {
		all = append(all, fmt.Sprintf("OUT OF ORDER (revision %d was accepted before)", d.OutOfOrder))
	}
	return all
}

func (p Printer) paint(colour, text string) string {
	if !p.Colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

const longest = 200 // characters of what a line shows of one thing

func told(text string) string {
	if text == "" {
		return "–"
	}
	runes := []rune(text[:min(len(text), longest*utf8.UTFMax)])
	if len(runes) > longest {
		return escape(string(runes[:longest]), "") + "…"
	}
	return escape(text, "")
}

func revision(n int64) string {
	if n == 0 {
		return "–"
	}
	return "r" + strconv.FormatInt(n, 10)
}

// latency is a duration to three digits or so.
func latency(d *time.Duration) string {
	switch {
	case d == nil:
		return "–"
	case d.Abs() < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d.Abs() < time.Second:
		return d.Round(time.Millisecond).String()
	case d.Abs() < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// What is larger, or nested deeper, is shown as it came: a small body of brackets would be indented to gigabytes.
const (
	largestIndented = 256 << 10 // bytes
	deepestIndented = 64
)

func indented(body []byte) string {
	var b bytes.Buffer
	if len(body) > largestIndented || depth(body) > deepestIndented || json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String()
}

// depth is how deep a body is nested, or more: brackets in strings count too.
func depth(body []byte) (deepest int) {
	at := 0
	for _, c := range body {
		switch c {
		case '{', '[':
			at++
			deepest = max(deepest, at)
		case '}', ']':
			at--
		}
	}
	return deepest
}

// escape writes what is not for show (controls, marks that change the direction of text, what is no UTF-8) as \u…, which in a JSON string
// means the same. The characters of keep stay.
func escape(text, keep string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return hidden(r, keep) }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch high, low := utf16.EncodeRune(r); {
		case !hidden(r, keep):
			b.WriteRune(r)
		case high != unicode.ReplacementChar:
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func hidden(r rune, keep string) bool {
	return !strings.ContainsRune(keep, r) && (!unicode.IsPrint(r) || r == utf8.RuneError)
}
