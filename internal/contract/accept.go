package contract

import (
	"mime"
	"slices"
	"strconv"
	"strings"
)

// problemType is the media type of every failure (RFC 9457).
const problemType = "application/problem+json"

// acceptable reports whether a client takes one of the types that an operation answers with. One that asks for failures to be problems
// takes what comes with success too. What cannot be read is taken as no wish at all.
func acceptable(header, answers []string) bool {
	if len(answers) == 0 || len(header) == 1 && (header[0] == "*/*" || header[0] == answers[0]) {
		return true
	}
	for value := range strings.SplitSeq(strings.Join(header, ","), ",") {
		if strings.TrimSpace(value) == "" {
			continue
		}
		wanted, parameters, err := mime.ParseMediaType(value)
		if err != nil {
			return true
		}
		if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil && q == 0 {
			continue
		}
		if wanted == "*/*" || wanted == problemType {
			return true
		}
		group, isRange := strings.CutSuffix(wanted, "/*")
		for _, answer := range answers {
			if answer == wanted || isRange && strings.HasPrefix(answer, group+"/") {
				return true
			}
		}
	}
	return strings.TrimSpace(strings.Join(header, "")) == ""
}

// Preferred is the one of an operation's media types that a client would rather have (RFC 9110 §12.5.1); the first when it does not care.
func Preferred(header []string, answers ...string) string {
	best, bestWeight := answers[0], 0.0
	for _, answer := range answers {
		if w := weight(header, answer); w > bestWeight {
			best, bestWeight = answer, w
		}
	}
	return best
}

// weight is how much a client wants a media type: the quality of the most precise range that it falls into.
func weight(header []string, answer string) float64 {
	weight, precision := 0.0, 0
	group, _, _ := strings.Cut(answer, "/")
	ranges := []string{"*/*", group + "/*", answer} // from the least precise
	for value := range strings.SplitSeq(strings.Join(header, ","), ",") {
		wanted, parameters, err := mime.ParseMediaType(value)
		at := slices.Index(ranges, wanted) + 1
		if err != nil || at <= precision {
			continue
		}
		precision, weight = at, 1
		if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
			weight = q
		}
	}
	return weight
}
