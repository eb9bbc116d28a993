package media

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"itemcast/internal/item"
	"itemcast/internal/problem"
)

// File is a file of an asset or a snapshot.
type File struct {
	Asset       uuid.UUID
	Name        string // in the asset's folder: "clip.mp4", "720/seg_1.m4s"
	ContentType string // never guessed from the name by this package
	Size        int64  // bytes
	SHA256      [sha256.Size]byte
}

// MadePrefix begins the names of the files that processing makes, as far as they are addresses of assets and snapshots.
// No uploaded file's name begins so, so that processing knows its own files.
const MadePrefix = "itemcast-"

// Path returns the path of a file's URL, without the public URL.
func (s *Service) Path(asset uuid.UUID, name string) string {
	return item.MediaPath + asset.String() + "/" + escape(name)
}

func escape(name string) string {
	segments := strings.Split(name, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return strings.Join(segments, "/")
}

// maxName is the longest name, in bytes.
const maxName = 512

// checkName returns what is wrong with a name. A name is part of a URL, and of no path in the storage.
func checkName(name string) error {
	wrong := len(name) > maxName || !utf8.ValidString(name) ||
		strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == '\\' })
	for segment := range strings.SplitSeq(name, "/") {
		wrong = wrong || segment == "" || segment == "." || segment == ".."
	}
	if !wrong {
		return nil
	}
	return problem.New(problem.InvalidInput, "The file's name must be a name in a folder, of at most %d bytes, without "+
		"control characters. Rename the file.", maxName)
}

// newKey returns a key for the storage. It says nothing about the file.
func newKey() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}
