package probe

import (
	"bytes"
	"strings"
)

// contentTypes are those of the containers by ffprobe's name, with and without a moving picture. Go's table depends on
// the system: it may take .ts for a translation and .webm for sound.
var contentTypes = map[string][2]string{
	"avi":    {"video/x-msvideo", "video/x-msvideo"},
	"mpegts": {"video/mp2t", "video/mp2t"},
	"mpeg":   {"video/mpeg", "video/mpeg"},
	"flv":    {"video/x-flv", "video/x-flv"},
	"asf":    {"video/x-ms-wmv", "audio/x-ms-wma"},
	"ogg":    {"video/ogg", "audio/ogg"},
	"wav":    {"", "audio/wav"},
	"w64":    {"", "audio/wav"},
	"aiff":   {"", "audio/aiff"},
	"flac":   {"", "audio/flac"},
	"mp3":    {"", "audio/mpeg"},
	"aac":    {"", "audio/aac"},
	"ac3":    {"", "audio/ac3"},
	"eac3":   {"", "audio/eac3"},
	"amr":    {"", "audio/amr"},
	"caf":    {"", "audio/x-caf"},
	"mxf":    {"application/mxf", "application/mxf"},
	"au":     {"", "audio/basic"},
}

// contentType returns the content type of a video or a sound file.
func contentType(m *Media, head []byte) string {
	silent := 0
	if m.Kind == Audio {
		silent = 1
	}
	switch {
	case strings.HasPrefix(m.Format, "mov,"):
		if brands := fileBrands(head); len(brands) == 0 || brands[0] == "qt  " {
			return "video/quicktime"
		}
		return [2]string{"video/mp4", "audio/mp4"}[silent]
	case strings.HasPrefix(m.Format, "matroska,"):
		if bytes.Contains(head[:min(len(head), 64)], []byte("webm")) { // the DocType of the EBML header
			return [2]string{"video/webm", "audio/webm"}[silent]
		}
		return [2]string{"video/matroska", "audio/matroska"}[silent]
	}
	if known := contentTypes[m.Format][silent]; known != "" {
		return known
	}
	return "application/octet-stream"
}
