package tus

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"itemcast/internal/problem"
)

// maxMetadata is how many characters Upload-Metadata may have: a ticket, which is base64 of base64, and names.
const maxMetadata = 96 << 10

// readMetadata reads Upload-Metadata (tus 1.0.0, "Creation"). tusd leaves out, without an error, what it cannot read.
func readMetadata(values []string) (map[string]string, error) {
	if len(values) == 0 {
		return nil, nil
	}
	text := strings.Join(values, ",")
	if len(text) > maxMetadata {
		return nil, errMetadata("may have %d characters", maxMetadata)
	}
	metadata := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		key, encoded, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if key == "" {
			if strings.TrimSpace(text) == "" {
				break
			}
			return nil, errMetadata("has an empty key")
		}
		if _, twice := metadata[key]; twice {
			return nil, errMetadata("has the key %q twice", shown(key))
		}
		value, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, errMetadata("has a value of %q that is no base64", shown(key))
		}
		if !utf8.Valid(value) || !utf8.ValidString(key) || strings.ContainsRune(string(value)+key, 0) {
			return nil, errMetadata("has a value of %q that is no text in UTF-8", shown(key))
		}
		metadata[key] = string(value)
	}
	return metadata, nil
}

func errMetadata(format string, args ...any) error {
	format = metadataHeader + " " + format + ". Write KEY BASE64, with a comma between two."
	return problem.New(problem.BadRequest, format, args...)
}

// shown returns the beginning of a text that a client has sent.
func shown(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
