package upload_test

import (
	"bytes"
	"strings"
	"testing"

	"itemcast/internal/item"
	"itemcast/internal/upload"
)

func TestSniff_TheFirstBytesDecide(t *testing.T) {
	t.Parallel()
	packet := append([]byte{0x47}, make([]byte, 187)...)
	timed := append([]byte{0, 0, 0, 0, 0x47}, make([]byte, 187)...)
	webm := "\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm\x16\x54\xae\x6b"
	ftyp := func(brand string) string { return "\x00\x00\x00\x18ftyp" + brand + "\x00\x00\x00\x00isommp42" }
	for name, c := range map[string]struct {
		head, contentType string
		kind              item.ItemType
	}{
		"MP4":                  {ftyp("mp42"), "video/mp4", item.ItemTypeVideo},
		"a phone's MOV":        {ftyp("qt  "), "video/quicktime", item.ItemTypeVideo},
		"M4A":                  {ftyp("M4A "), "audio/mp4", item.ItemTypeAudio},
		"M4V":                  {ftyp("M4V "), "video/mp4", item.ItemTypeVideo},
		"HEIC, not a video":    {ftyp("heic"), "image/heic", item.ItemTypeImage},
		"AVIF, not a video":    {ftyp("avif"), "image/avif", item.ItemTypeImage},
		"WebM":                 {webm + "V_VP9 A_OPUS", "video/webm", item.ItemTypeVideo},
		"WebM with sound only": {webm + "A_OPUS", "audio/webm", item.ItemTypeAudio},
		"WebM, unknown tracks": {webm, "video/webm", item.ItemTypeVideo},
		"MPEG-TS":              {strings.Repeat(string(packet), 5), "video/mp2t", item.ItemTypeVideo},
		"a camera's MPEG-TS":   {strings.Repeat(string(timed), 5), "video/mp2t", item.ItemTypeVideo},
		"MP3":                  {"ID3\x04\x00\x00\x00\x00\x00\x0aTIT2", "audio/mpeg", item.ItemTypeAudio},
		"JPEG":                 {"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", item.ItemTypeImage},
		"PDF":                  {"%PDF-1.7\n", "application/pdf", item.ItemTypeDocument},
		"an HTML page":         {"<!DOCTYPE html><script>", "text/html; charset=utf-8", item.ItemTypeDocument},
		"noise":                {string(bytes.Repeat([]byte{0xfe, 0x01, 0x80}, 999)), "application/octet-stream", item.ItemTypeDocument},
	} {
		contentType, kind := upload.Sniff([]byte(c.head))
		if contentType != c.contentType || kind != c.kind {
			t.Errorf("%s: got %s, %s", name, contentType, kind)
		}
	}
}
