package revision

import (
	"strconv"
	"strings"

	"itemcast/internal/problem"
)

// IfMatch returns the condition of an If-Match header (RFC 9110 §13.1.1). A request without the header, or with *, has
// no condition. Error: INVALID_INPUT.
func IfMatch(header *string) (Condition, error) {
	if header == nil || strings.TrimSpace(*header) == "*" {
		return nil, nil
	}
	c := Condition{}
	for text := range strings.SplitSeq(*header, ",") {
		text, weak := strings.CutPrefix(strings.TrimSpace(text), "W/")
		text, quoted := unquote(text)
		if !quoted {
			return nil, problem.Invalid(problem.InvalidInput,
				problem.Fault{Parameter: "If-Match", Detail: `must be an ETag as GET returns it, such as "3", or *`})
		}
		// All renderings of a revision have the same values. Other texts are not our ETags, and never match.
		number, rendering, _ := strings.Cut(text, ".")
		if revision, err := strconv.ParseInt(number, 10, 64); err == nil && strings.Trim(rendering, "0123456789") == "" {
			c = append(c, tag{revision: revision, weak: weak})
		}
	}
	return c, nil
}

// IfNoneMatch reports whether an If-None-Match header (RFC 9110 §13.1.2) contains the ETag. It compares weakly.
func IfNoneMatch(header *string, etag string) bool {
	if header == nil {
		return false
	}
	for tag := range strings.SplitSeq(*header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

func unquote(tag string) (text string, ok bool) {
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return "", false
	}
	return tag[1 : len(tag)-1], true
}
