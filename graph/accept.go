package graph

import (
	"mime"
	"strconv"
	"strings"

	"itemcast/internal/live/sse"
)

const (
	graphqlJSON = "application/graphql-response+json"
	plainJSON   = "application/json"
)

// accepted is what a client takes of the forms that an answer has.
type accepted struct {
	json   string  // the media type of a plain answer; "" when the client takes none
	weight float64 // of json
	stream float64 // weight of server-sent events, 0 when the client does not take them
}

// negotiate reads Accept. Of the two plain forms it chooses what the client prefers, the newer one when it names both alike, and the older
// one when it names neither, as the specification asks for the sake of old clients.
func negotiate(accept []string) (a accepted) {
	if len(accept) == 0 {
		return accepted{json: plainJSON, weight: 1}
	}
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		mediaType, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, given := parameters["q"]; given {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		switch mediaType {
		case "*/*", "application/*":
			mediaType = plainJSON
		case graphqlJSON, plainJSON:
		case sse.ContentType:
			a.stream = max(a.stream, q)
			continue
		default:
			continue
		}
		if q > a.weight || q == a.weight && q > 0 && mediaType == graphqlJSON {
			a.json, a.weight = mediaType, q
		}
	}
	return a
}
