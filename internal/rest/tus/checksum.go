package tus

import (
	"crypto/md5"  //nolint:gosec // of a client, against faults of the network
	"crypto/sha1" //nolint:gosec // every tus server has it
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"strings"

	"itemcast/internal/problem"
	"itemcast/internal/upload"
)

const (
	checksumHeader = "Upload-Checksum"
	algorithmNames = "sha1,sha256,md5"
)

var algorithms = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "md5": md5.New}

// checksumOf returns what a request says of its bytes (tus 1.0.0, "Checksum"); nil if it says nothing.
func checksumOf(header, trailer http.Header) (*upload.Checksum, error) {
	if _, announced := trailer[checksumHeader]; announced {
		return nil, problem.New(problem.BadRequest, "Upload-Checksum must be a header. A trailer is not supported.")
	}
	values := header.Values(checksumHeader)
	if len(values) == 0 {
		return nil, nil
	}
	algorithm, encoded, found := strings.Cut(values[0], " ")
	make, supported := algorithms[algorithm]
	if !supported || !found || len(values) > 1 {
		return nil, problem.New(problem.BadRequest, "Upload-Checksum must be one of %s, a space, and the checksum in base64.",
			algorithmNames)
	}
	sum, err := base64.StdEncoding.DecodeString(encoded)
	want := &upload.Checksum{Hash: make(), Sum: sum}
	if err != nil || len(sum) != want.Hash.Size() {
		return nil, problem.New(problem.BadRequest, "Upload-Checksum must have the %d bytes of %s in base64.",
			want.Hash.Size(), algorithm)
	}
	return want, nil
}
