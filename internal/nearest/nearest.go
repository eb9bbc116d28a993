// Package nearest finds the name that a client probably meant when it wrote an unknown one.
package nearest

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// maxName limits the names that are compared, in bytes: the time of a comparison grows with the product of the lengths.
const maxName = 100

// DidYouMean returns "; did you mean NAME?" with the known name that is nearest to a given one, and "" when none is
// near. Near is what GraphQL servers take for it (graphql-js, suggestionList): an edit distance of at most 40 % of the
// given name's length, and 1.
func DidYouMean(given string, known []string) string {
	if name := nearest(given, known); name != "" {
		return "; did you mean " + name + "?"
	}
	return ""
}

func nearest(given string, known []string) (name string) {
	if len(given) > maxName {
		return ""
	}
	most := len(given)*2/5 + 1
	for _, candidate := range slices.Sorted(slices.Values(known)) {
		if longer := len(candidate) - len(given); longer > most || -longer > most {
			continue
		}
		distance := levenshtein.ComputeDistance(strings.ToLower(given), strings.ToLower(candidate))
		if distance <= most && distance < len(candidate) { // else no letter is in its place
			name, most = candidate, distance-1
		}
	}
	return name
}
