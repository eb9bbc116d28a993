package ticket

import (
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// Limits of content types.
const (
	MaxContentTypes = 20
	maxContentType  = 100 // characters
)

// contentTypeForm is a media type of RFC 6838 §4.2 without parameters, or all types of one kind.
var contentTypeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|[a-z0-9][a-z0-9!#$&^_.+-]*)$`)

// FaultOfContentType returns what is wrong with a content type of a profile or a ticket; "" for nothing.
func FaultOfContentType(text string) string {
	switch {
	case len(text) > maxContentType:
		return fmt.Sprintf("must have at most %d characters", maxContentType)
	case text == "*/*" || text == "*":
		return "must name a type; leave content_types out to allow all"
	case !contentTypeForm.MatchString(text):
		return "must be a media type in lower case without parameters, such as image/png or video/*"
	}
	return ""
}

// allows reports whether a list of content types has one, or is empty.
func allows(list []string, contentType string) bool {
	if len(list) == 0 {
		return true
	}
	name, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	kind, _, _ := strings.Cut(name, "/")
	return slices.Contains(list, name) || slices.Contains(list, kind+"/*")
}
