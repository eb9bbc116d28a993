package web

import (
	"strconv"
	"strings"
)

// acceptsGzip reads an Accept-Encoding header (RFC 9110 §12.5.3). A gzip entry goes before a "*" entry.
func acceptsGzip(header string) bool {
	wildcard := false
	for entry := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(entry, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return weight(params) > 0
		case "*":
			wildcard = weight(params) > 0
		}
	}
	return wildcard
}

func weight(params string) float64 {
	value, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0
	}
	return q
}
