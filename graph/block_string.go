package graph

import (
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// blockStrings is a validation rule that reads block strings again, as the specification says. gqlparser keeps the
// indentation of one whose text begins on the line of its quotes (findings/gqlparser-block-strings.sh).
var blockStrings = core.Rule{Name: "BlockStrings", RuleFunc: func(observers *core.Events, _ core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, v *ast.Value) {
		if v.Kind == ast.BlockValue && v.Position != nil && v.Position.Src != nil {
			v.Kind, v.Raw = ast.StringValue, blockStringAt(v.Position.Src.Input, v.Position.Start)
		}
	})
}}

const blockQuotes = `"""`

// blockStringAt returns the value of the block string that starts at a rune of a document, which has been parsed.
func blockStringAt(document string, start int) string {
	offset := 0
	for range start {
		_, width := utf8.DecodeRuneInString(document[offset:])
		offset += width
	}
	rest, end := document[offset+len(blockQuotes):], 0
	for !strings.HasPrefix(rest[end:], blockQuotes) {
		if strings.HasPrefix(rest[end:], `\`+blockQuotes) {
			end += len(blockQuotes)
		}
		end++
	}
	for strings.HasPrefix(rest[end+1:], blockQuotes) { // of several quotes, gqlparser takes the last three as the end
		end++
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n", `\`+blockQuotes, blockQuotes).Replace(rest[:end])
	return dedent(strings.Split(text, "\n"))
}

// dedent is BlockStringValue (GraphQL specification, October 2021, §2.9.4): it removes the common indentation of all
// lines but the first, and blank lines at the beginning and the end.
func dedent(lines []string) string {
	isBlank := func(line string) bool { return strings.Trim(line, " \t") == "" }
	common := -1
	for _, line := range lines[1:] {
		if indent := len(line) - len(strings.TrimLeft(line, " \t")); !isBlank(line) && (common < 0 || indent < common) {
			common = indent
		}
	}
	for n, line := range lines {
		if n > 0 && common > 0 {
			lines[n] = line[min(common, len(line)):]
		}
	}
	for len(lines) > 0 && isBlank(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && isBlank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}
