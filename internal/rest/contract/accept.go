package contract

import (
	"mime"
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
