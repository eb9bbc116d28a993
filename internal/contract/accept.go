package contract

import (
	"slices"

	"itemcast/internal/accept"
)

// problemType is the media type of every failure (RFC 9457).
const problemType = "application/problem+json"

// acceptable reports whether a client takes one of the types that an operation answers with. A client that names the
// type of problems is taken to know that a success has another.
func acceptable(header, answers []string) bool {
	if len(answers) == 0 || len(header) == 1 && (header[0] == "*/*" || header[0] == answers[0]) {
		return true
	}
	types := accept.ParseTypes(header)
	return slices.ContainsFunc(answers, types.Takes) || types.Named(problemType) > 0
}
