package form

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
)

var errMalformed = errors.New("malformed header")

// lengthOf returns the number of bytes of the headers Content-Length, -1 without one.
func lengthOf(values []string) (int64, error) {
	if len(values) == 0 {
		return -1, nil
	}
	length, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || length < 0 || len(values) > 1 {
		return 0, errMalformed
	}
	return length, nil
}

// sha256Of returns the SHA-256 of the headers Content-Digest (RFC 9530 §2), nil if they have none. Other algorithms are
// ignored.
func sha256Of(values []string) (digest []byte, err error) {
	for entry := range strings.SplitSeq(strings.Join(values, ","), ",") {
		algorithm, value, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if !strings.EqualFold(algorithm, "sha-256") {
			continue
		}
		value, begins := strings.CutPrefix(value, ":")
		value, ends := strings.CutSuffix(value, ":")
		digest, err = base64.StdEncoding.DecodeString(value)
		if err != nil || !begins || !ends || len(digest) != sha256.Size {
			return nil, errMalformed
		}
	}
	return digest, nil
}
