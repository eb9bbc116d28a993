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

// Printer prints deliveries for people, one line each.
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

// Print prints a delivery. It escapes text from the request, because a terminal obeys control characters.
func (p Printer) Print(d *Delivery) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s  %-14s  %-8s  %-36s  %-5s %9s  %s  %s", p.paint(dim, d.At.Local().Format("15:04:05.000")),
		field(d.Event), field(d.Trigger), field(d.Item), revision(d.Revision), latency(d.Latency), p.verdict(d),
		p.answer(d))
	if d.Task != "" {
		b.WriteString("  " + taskOf(d))
	}
	for _, note := range notes(d) {
		b.WriteString("  " + p.paint(yellow, note))
	}
	if d.Target != "/" {
		b.WriteString("  " + p.paint(dim, "at "+field(d.Target)))
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

// Note prints a line that is not about a delivery.
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

// taskOf returns a text such as "task notify, before_action publish".
func taskOf(d *Delivery) string {
	text := "task " + field(d.Task)
	if d.TaskAt != "" {
		text += ", " + field(d.TaskAt)
	}
	if d.Action != "" {
		text += " " + field(d.Action)
	}
	return text
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
		text := fmt.Sprintf("OUT OF ORDER (revision %d was accepted before)", d.OutOfOrder)
		if d.Trigger == "replay" || d.Trigger == "manual" { // as it was asked for
			text = fmt.Sprintf("older than revision %d, which was accepted before", d.OutOfOrder)
		}
		all = append(all, text)
	}
	return all
}

func (p Printer) paint(colour, text string) string {
	if !p.Colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

const maxField = 200 // characters

// field returns a text shortened to maxField, and a dash for an empty one.
func field(text string) string {
	if text == "" {
		return "–"
	}
	runes := []rune(text[:min(len(text), maxField*utf8.UTFMax)])
	if len(runes) > maxField {
		return escape(string(runes[:maxField]), "") + "…"
	}
	return escape(text, "")
}

func revision(n int64) string {
	if n == 0 {
		return "–"
	}
	return "r" + strconv.FormatInt(n, 10)
}

// latency returns a duration rounded to some three digits.
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

// Limits of indentation. Larger and deeper bodies are printed unchanged: indentation would turn a small body of
// brackets into gigabytes.
const (
	maxIndented      = 256 << 10 // bytes
	maxIndentedDepth = 64
)

func indented(body []byte) string {
	var b bytes.Buffer
	if len(body) > maxIndented || depth(body) > maxIndentedDepth || json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String()
}

// depth returns an upper bound of the nesting of a body: it counts brackets in strings, too.
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

// escape writes control characters, marks that change the direction of text, and invalid UTF-8 as \u…, which means
// the same in a JSON string. It leaves the allowed characters unchanged.
func escape(text, allowed string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return hidden(r, allowed) }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch high, low := utf16.EncodeRune(r); {
		case !hidden(r, allowed):
			b.WriteRune(r)
		case high != unicode.ReplacementChar:
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func hidden(r rune, allowed string) bool {
	return !strings.ContainsRune(allowed, r) && (!unicode.IsPrint(r) || r == utf8.RuneError)
}
