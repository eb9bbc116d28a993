package transport

import (
	"itemcast/internal/accept"
	"itemcast/internal/live/sse"
)

const (
	graphqlJSON = "application/graphql-response+json"
	plainJSON   = "application/json"
)

// accepted is which forms of an answer a client takes.
type accepted struct {
	json       string  // the media type of a plain answer; "" when the client takes none
	jsonWeight float64 // of json
	sse        float64 // weight of server-sent events; 0 when the client does not take them
}

// negotiate reads the values of an Accept header. Only a client that names graphql-response+json gets it, also when it
// wants application/json as much: GraphQL over HTTP asks servers to spare old clients. Likewise, only a client that
// names event streams gets one.
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
