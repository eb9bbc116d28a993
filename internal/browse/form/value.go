package form

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"itemcast/internal/browse/jsontree"
)

// kindFor returns the kind of control that shows a value without losing any of it.
func (f *Field) kindFor(value json.RawMessage) string {
	if isNull(value) {
		return f.Kind
	}
	switch f.Kind {
	case kindText, kindLong, kindChoice:
		if !f.isBoolean {
			return f.kindForText(value)
		}
	case kindRows:
		if _, ok := f.elements(value); !ok {
			return kindJSON
		}
	case kindLines:
		texts, ok := decode[[]string](value)
		if !ok || slices.ContainsFunc(texts, func(text string) bool { return !isLine(text) }) {
			return kindJSON
		}
	case kindChecks:
		texts, ok := decode[[]string](value)
		if !ok || slices.ContainsFunc(texts, func(text string) bool { return !slices.Contains(f.Choices, text) }) {
			return kindJSON
		}
	}
	return f.Kind
}

func (f *Field) kindForText(value json.RawMessage) string {
	text, ok := decode[string](value)
	switch {
	case !ok:
		return kindJSON
	case f.Kind == kindChoice && !slices.Contains(f.Choices, text):
		return kindText
	case strings.ContainsAny(text, "\r\n"):
		return kindLong
	}
	return f.Kind
}

// isLine reports whether a text stays the same when it is shown as one line of several and read again.
func isLine(text string) bool {
	return text != "" && strings.TrimSpace(text) == text && !strings.ContainsAny(text, "\r\n")
}

// texts returns what the control shows for a value.
func (f *Field) texts(value json.RawMessage) []string {
	if isNull(value) {
		return nil
	}
	switch f.kindFor(value) {
	case kindText, kindLong, kindChoice:
		if f.isBoolean {
			break
		}
		text, _ := decode[string](value)
		return []string{text}
	case kindLines:
		lines, _ := decode[[]string](value)
		return []string{strings.Join(lines, "\n")}
	case kindChecks:
		checked, _ := decode[[]string](value)
		return checked
	case kindRows:
		return nil // its fields have the texts
	case kindJSON:
		return []string{indented(value)}
	}
	return []string{string(value)}
}

// isSent reports whether a form has the field. A browser sends no unchecked box, so a group of boxes is always there.
func (f *Field) isSent(values url.Values) bool { return f.Kind == kindChecks || values.Has(f.Control) }

// isUnchanged reports whether the texts are those that the form was filled with.
func (f *Field) isUnchanged(old json.RawMessage, texts []string) bool {
	return joinLines(f.texts(old)) == joinLines(texts)
}

// joinLines joins texts with the line breaks of JSON; forms send CRLF.
func joinLines(texts []string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.Join(texts, "\n"))
}

// value returns typed texts as JSON; nil when nothing was typed. A text that does not fit its type becomes a string, so
// that the API reports it. The error is a detail for people.
func (f *Field) value(kind string, texts []string) (json.RawMessage, error) {
	text := strings.ReplaceAll(strings.Join(texts, "\n"), "\r\n", "\n")
	switch kind {
	case kindChecks, kindLines:
		return lines(text)
	case kindNumber:
		return number(strings.TrimSpace(text)), nil
	case kindChoice:
		if text == "" || f.isBoolean && slices.Contains(f.Choices, text) {
			return json.RawMessage(text), nil
		}
	case kindJSON:
		return valid(strings.TrimSpace(text), f.Example)
	}
	if text == "" {
		return nil, nil
	}
	return quote(text), nil
}

func lines(text string) (json.RawMessage, error) {
	var texts []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			texts = append(texts, line)
		}
	}
	if len(texts) == 0 {
		return nil, nil
	}
	return json.Marshal(texts)
}

// number returns a number with every digit as it was typed.
func number(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	if value, err := jsontree.Parse([]byte(text)); err == nil {
		if n, ok := value.(json.Number); ok && n.String() == text {
			return json.RawMessage(text)
		}
	}
	return quote(text)
}

func valid(text, example string) (json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	_, err := jsontree.Parse([]byte(text))
	switch {
	case err != nil && example != "" && !json.Valid([]byte(text)):
		return nil, fmt.Errorf("must be JSON, such as %s", example)
	case err != nil:
		return nil, fmt.Errorf("must be JSON: %w", err)
	}
	return json.RawMessage(text), nil
}

func quote(text string) json.RawMessage { return json.RawMessage(jsontree.Encode(text)) }

// emptied returns the value that a patch sends for a field that the user emptied.
func (f *Field) emptied() json.RawMessage {
	switch {
	case f.isNullable:
		return json.RawMessage("null")
	case f.isArray:
		return json.RawMessage("[]")
	}
	return json.RawMessage(`""`)
}
