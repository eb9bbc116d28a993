package upload

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"itemcast/internal/item"
	"itemcast/internal/problem"
	"itemcast/internal/upload/ticket"
)

const (
	// HeadSize is how many bytes of a file tell its type. Package mimetype looks at no more.
	HeadSize    = 4096
	unknownType = "application/octet-stream"
)

// usual are the names under which browsers play what mimetype calls otherwise.
var usual = map[string]string{
	"audio/x-m4a": "audio/mp4", "video/x-m4v": "video/mp4", "application/ogg": "audio/ogg",
	"application/vnd.rn-realmedia-vbr": "video/vnd.rn-realvideo",
}

// Sniff returns the content type of a file and the type of its item, by its first bytes. A container that does not tell
// at its beginning whether it has pictures counts as a video.
func Sniff(head []byte) (contentType string, kind item.ItemType) {
	contentType = mimetype.Detect(head).String()
	if other, ok := usual[contentType]; ok {
		contentType = other
	}
	switch {
	case contentType == unknownType && isTransportStream(head):
		contentType = "video/mp2t"
	case (contentType == "video/webm" || contentType == "video/matroska") && hasOnlySound(head):
		contentType = "audio/" + strings.TrimPrefix(contentType, "video/")
	}
	switch group, _, _ := strings.Cut(contentType, "/"); group {
	case "video":
		return contentType, item.ItemTypeVideo
	case "audio":
		return contentType, item.ItemTypeAudio
	case "image":
		return contentType, item.ItemTypeImage
	}
	return contentType, item.ItemTypeDocument
}

// isTransportStream recognizes MPEG-TS, which mimetype does not: packets of 188 bytes that begin with 0x47 (ISO/IEC
// 13818-1 §2.4.3.2), or of 192 with a time in front, as cameras write them.
func isTransportStream(head []byte) bool {
	every := func(size, at int) bool {
		packets := 0
		for ; at < len(head); at += size {
			if head[at] != 0x47 {
				return false
			}
			packets++
		}
		return packets > 2
	}
	return every(188, 0) || every(192, 4)
}

// hasOnlySound reports whether the tracks at the beginning of a Matroska file (RFC 9559 §5.1.4.1.21, CodecID) are
// sound, as those of a browser's sound recorder.
func hasOnlySound(head []byte) bool { return !bytes.Contains(head, []byte("V_")) && soundCodec(head) }

func soundCodec(head []byte) bool {
	for _, codec := range []string{"A_OPUS", "A_VORBIS", "A_AAC", "A_MPEG/", "A_FLAC", "A_PCM/", "A_AC3", "A_EAC3"} {
		if bytes.Contains(head, []byte(codec)) {
			return true
		}
	}
	return false
}

// synonyms are further names of a content type, by which a profile or a ticket may allow it.
var synonyms = map[string][]string{
	"audio/wav": {"audio/x-wav", "audio/wave", "audio/vnd.wave"}, "audio/flac": {"audio/x-flac"},
	"audio/aiff": {"audio/x-aiff"}, "audio/mpeg": {"audio/mp3"}, "audio/mp4": {"audio/x-m4a", "audio/m4a"},
	"audio/matroska": {"audio/x-matroska"}, "video/matroska": {"video/x-matroska"}, "video/mp4": {"video/x-m4v"},
	"video/x-msvideo": {"video/avi", "video/vnd.avi"}, "video/mp2t": {"video/m2ts"}, "image/jpeg": {"image/jpg"},
	"image/x-icon": {"image/vnd.microsoft.icon"}, "image/apng": {"image/png"}, "image/heic": {"image/heif"},
}

// allows reports whether a ticket allows a content type under any of its names.
func allows(t ticket.Ticket, contentType string) bool {
	if t.Allows(contentType) {
		return true
	}
	for _, name := range synonyms[contentType] {
		if t.Allows(name) {
			return true
		}
	}
	return false
}

// wantedType returns the type that a ticket gives its items; "" if it leaves that to the files.
func wantedType(t ticket.Ticket) item.ItemType {
	var input struct{ Type item.ItemType }
	_ = json.Unmarshal(t.Item, &input) // Admit has checked it; nil has none
	return input.Type
}

// allowKind refuses a file that cannot be an item of the ticket's type. A container of pictures may hold sound only.
func (u *Upload) allowKind(name, contentType string, kind item.ItemType) error {
	wanted := wantedType(u.ticket)
	switch {
	case wanted == "" || wanted == kind || wanted == item.ItemTypeDocument:
		return nil
	case wanted == item.ItemTypeAudio && kind == item.ItemTypeVideo:
		return nil
	}
	return problem.New(problem.UnsupportedMediaType, "The ticket is for an item of the type %s, and the file %q is of "+
		"the type %s by its content. Send another.", wanted, name, contentType)
}
