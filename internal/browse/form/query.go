package form

import (
	"net/url"
	"strings"
	"time"
)

// queryValues returns typed texts as the values of a query.
func (f *Field) queryValues(texts []string) []string {
	var values []string
	for _, text := range texts {
		text = strings.TrimSpace(text)
		parts := []string{text}
		switch f.Kind {
		case kindTime:
			parts = []string{toUTC(text)}
		case kindLines:
			parts = strings.Split(text, "\n")
		}
		for _, part := range parts {
			if part = strings.TrimSpace(part); part != "" {
				values = append(values, part)
			}
		}
	}
	return values
}

// encodeQuery leaves colons as they are: they need no escape in a query (RFC 3986 §3.4). A comma needs one, because a
// bare comma separates the values of an array.
func encodeQuery(query url.Values) string {
	return strings.ReplaceAll(query.Encode(), "%3A", ":")
}

// localLayouts are what browsers send for a control of the type datetime-local.
var localLayouts = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04:05.999"}

// toUTC completes a time of such a control, which has no zone; its label says UTC. It returns other texts unchanged.
func toUTC(text string) string {
	for _, layout := range localLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Format(time.RFC3339Nano)
		}
	}
	return text
}

// fromUTC returns a time as such a control shows it. It reports false for a text that the control cannot show.
func fromUTC(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text, false
	}
	return at.UTC().Format("2006-01-02T15:04:05.999"), true
}
