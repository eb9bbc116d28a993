// Package accept reads the headers in which a client states its preferences: Accept (RFC 9110 §12.5.1) and
// Accept-Encoding (§12.5.3).
//
// It is the only reader of these headers, so every API treats them alike. The most specific range decides. The weight q
// runs from 0 (never) to 1. Parameters other than q are ignored, and so are malformed entries. A header without a valid
// entry states no preference.
//
// It must not know which representations exist: callers name what they offer.
package accept

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Types are the media ranges of an Accept header.
type Types []entry

type entry struct {
	name   string // "text/html", "text/*", "*/*"
	weight float64
}

// ParseTypes reads the values of an Accept header.
func ParseTypes(header []string) Types { return parse(header) }

// Weight returns how much the client wants a media type: 1 when the header states no preference, 0 for never.
func (t Types) Weight(mediaType string) float64 {
	if len(t) == 0 {
		return 1
	}
	group, _, _ := strings.Cut(mediaType, "/")
	for _, name := range []string{mediaType, group + "/*", "*/*"} {
		if weight, found := t.find(name); found {
			return weight
		}
	}
	return 0
}

// Named returns the weight of a media type that the header names itself, and 0 for one that only a range covers. It is
// for types that only clients made for them can use.
func (t Types) Named(mediaType string) float64 {
	weight, _ := t.find(mediaType)
	return weight
}

// Takes reports whether the client accepts a media type at all.
func (t Types) Takes(mediaType string) bool { return t.Weight(mediaType) > 0 }

// find returns the highest weight under a name.
func (t Types) find(name string) (weight float64, found bool) {
	for _, e := range t {
		if e.name == name {
			weight, found = max(weight, e.weight), true
		}
	}
	return weight, found
}

// Preferred returns the offer with the highest weight. Among equal offers the first wins. When the client accepts none,
// Preferred returns the first offer.
func Preferred(header []string, offers ...string) string {
	types := ParseTypes(header)
	best, highest := offers[0], 0.0
	for _, offer := range offers {
		if weight := types.Weight(offer); weight > highest {
			best, highest = offer, weight
		}
	}
	return best
}

// PrefersHTML reports whether the client of a request would rather have a page than JSON. A client that names text/html
// does, and so does a browser that navigates (Sec-Fetch-Mode), unless it names application/json. Programs, and scripts
// of pages, send */*.
//
// Java's HttpURLConnection is a program that names text/html when nobody has chosen a type. By its header it is neither
// a browser, all of which name application/xhtml+xml too, nor somebody who wants a page.
func PrefersHTML(header http.Header) bool {
	accepted, mode := header["Accept"], header["Sec-Fetch-Mode"]
	navigates := len(mode) == 1 && mode[0] == "navigate"
	isNamed := func(value string) bool { return strings.Contains(value, "text/html") }
	if !navigates && !slices.ContainsFunc(accepted, isNamed) { // nearly every request: do not parse
		return false
	}
	types := ParseTypes(accepted)
	html, json := types.Weight("text/html"), types.Weight("application/json")
	switch {
	case navigates && types.Named("text/html") == 0:
		return html > 0 && html >= json && types.Named("application/json") == 0
	case !navigates && types.isOfHTTPURLConnection():
		return false
	}
	return html > json
}

// isOfHTTPURLConnection recognizes "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", and later forms without "*".
func (t Types) isOfHTTPURLConnection() bool {
	return (t.Named("*") > 0 || t.Named("image/gif") > 0) && t.Named("application/xhtml+xml") == 0
}

// PrefersEventStream reports whether the client would rather have server-sent events than JSON. Only a client that
// names text/event-stream can use them.
func PrefersEventStream(header []string) bool {
	for _, value := range header { // as in PrefersHTML
		if strings.Contains(value, "text/event-stream") {
			types := ParseTypes(header)
			return types.Named("text/event-stream") > types.Weight("application/json")
		}
	}
	return false
}

// parse reads a list of names with weights. A lone "*", which old clients send in Accept, is a name that matches no
// type.
func parse(header []string) []entry {
	var entries []entry
	for _, value := range header {
		for part := range strings.SplitSeq(value, ",") {
			name, parameters, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			weight := 1.0
			if q, given := parameters["q"]; given {
				weight, err = strconv.ParseFloat(q, 64)
				if err != nil || !(weight >= 0 && weight <= 1) { // also true for NaN
					continue
				}
			}
			entries = append(entries, entry{name, weight})
		}
	}
	return entries
}
