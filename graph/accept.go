package graph

import (
	"itemcast/internal/accept"
	"itemcast/internal/live/sse"
)

const (
	graphqlJSON = "application/graphql-response+json"
	plainJSON   = "application/json"
)

// accepted is which of the forms of an answer a client takes.
type accepted struct {
	json   string  // the media type of a plain answer; "" when the client takes none
	weight float64 // of json
	stream float64 // weight of server-sent events; 0 when the client does not take them
}

// negotiate reads the values of an Accept header. Only a client that names graphql-response+json gets it, and then also
// when it wants application/json as much: GraphQL over HTTP asks servers to spare old clients. Likewise a stream is only
// for a client that names it.
func negotiate(header []string) accepted {
	types := accept.ParseTypes(header)
	a := accepted{stream: types.Named(sse.ContentType)}
	older, newer := types.Weight(plainJSON), types.Named(graphqlJSON)
	switch {
	case newer > 0 && newer >= older:
		a.json, a.weight = graphqlJSON, newer
	case older > 0:
		a.json, a.weight = plainJSON, older
	}
	return a
}
