package transport

import (
	"itemcast/internal/accept"
	"itemcast/internal/live/sse"
)

const (
	graphqlJSON = "application/graphql-response+json"
	plainJSON   = "application/json"
)

// accepted describes the media types that a client accepts.
type accepted struct {
	json       string  // the media type of a plain answer; "" when the client takes none
	jsonWeight float64 // of json
	sse        float64 // weight of server-sent events; 0 when the client does not take them
}

// negotiate reads the values of an Accept header. A client receives graphql-response+json only if it names that type
// (a wildcard is not enough: GraphQL over HTTP demands this for the sake of old clients), and gives it at least the
// weight of application/json. Likewise, a client receives an event stream only if it names that type.
func negotiate(header []string) accepted {
	types := accept.ParseTypes(header)
	a := accepted{sse: types.Named(sse.ContentType)}
	older, newer := types.Weight(plainJSON), types.Named(graphqlJSON)
	switch {
	case newer > 0 && newer >= older:
		a.json, a.jsonWeight = graphqlJSON, newer
	case older > 0:
		a.json, a.jsonWeight = plainJSON, older
	}
	return a
}
