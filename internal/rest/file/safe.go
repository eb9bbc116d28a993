package file

import (
	"mime"
	"net/http"
	"strings"

	"itemcast/internal/media"
)

// playable are the types that a browser shows without running anything in them, beside images, sounds and videos.
var playable = map[string]bool{
	"application/vnd.apple.mpegurl": true,
	"application/x-mpegurl":         true,
	"application/dash+xml":          true,
	"text/vtt":                      true,
}

// setSafe sets the type of a file, and keeps a browser from running it: the page would have this server's origin, and
// with it the session of whoever opens it. Other files than media are downloaded; an <img> shows an SVG anyway.
func setSafe(header http.Header, f media.File) {
	header.Set("Content-Type", f.ContentType)
	header.Set("X-Content-Type-Options", "nosniff")
	disposition := "inline"
	if !isPlayable(f.ContentType) {
		disposition = "attachment"
		header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	}
	if !strings.Contains(f.Name, "/") { // people download it, as opposed to a segment of a stream
		disposition = mime.FormatMediaType(disposition, map[string]string{"filename": f.Name})
	}
	header.Set("Content-Disposition", disposition)
}

func isPlayable(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	kind, _, _ := strings.Cut(mediaType, "/")
	return mediaType != "image/svg+xml" && (kind == "image" || kind == "audio" || kind == "video") || playable[mediaType]
}
