package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"itemcast/internal/media/program"
	"itemcast/internal/problem"
)

// still is a format of pictures or documents.
type still struct {
	kind        Kind
	format      string
	contentType string
}

var (
	jpeg = still{Image, "jpeg", "image/jpeg"}
	png  = still{Image, "png", "image/png"}
	gif  = still{Image, "gif", "image/gif"}
	webp = still{Image, "webp", "image/webp"}
	tiff = still{Image, "tiff", "image/tiff"}
	heic = still{Image, "heic", "image/heic"}
	avif = still{Image, "avif", "image/avif"}
	pdf  = still{Document, "pdf", "application/pdf"}
)

// brands are those of ISO base media files that hold pictures (ISO/IEC 23008-12, AV1 Image File Format). ffprobe calls
// an AVIF a video in mov, and cannot open a HEIC.
var brands = map[string]still{
	"heic": heic, "heix": heic, "heim": heic, "heis": heic, "mif1": heic, "avif": avif, "avis": avif,
}

// sniffStill knows pictures and documents by their first bytes.
func sniffStill(head []byte) (still, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xFF\xD8\xFF")):
		return jpeg, true
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1A\n")):
		return png, true
	case bytes.HasPrefix(head, []byte("GIF87a")), bytes.HasPrefix(head, []byte("GIF89a")):
		return gif, true
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) >= 12 && string(head[8:12]) == "WEBP":
		return webp, true
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return tiff, true
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return pdf, true
	}
	for n, brand := range fileBrands(head) {
		// mif1 is a general brand: a compatible brand tells whether it holds AV1.
		if found, ok := brands[brand]; ok && (n == 0 || found == avif) {
			if brand == "mif1" && slices.Contains(fileBrands(head), "avif") {
				return avif, true
			}
			return found, true
		}
	}
	return still{}, false
}

// fileBrands returns the brands of an ISO base media file, the major one first.
func fileBrands(head []byte) (found []string) {
	if len(head) < 16 || string(head[4:8]) != "ftyp" {
		return nil
	}
	size := int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	found = []string{string(head[8:12])}
	for at := 16; at+4 <= min(size, len(head)); at += 4 {
		found = append(found, string(head[at:at+4]))
	}
	return found
}

// measureStill reads the header of a picture or document by vips. It decodes no pixels.
func measureStill(ctx context.Context, path string, s still, limits Limits) (*Media, error) {
	fields, err := stillFields(ctx, path, s, limits)
	if err != nil {
		return nil, err
	}
	width, height := fields.number("width"), fields.number("height")
	pages := max(1, fields.number("n-pages"))
	if page := fields.number("page-height"); page > 0 && page < height {
		height = page
	}
	if width <= 0 || height <= 0 {
		return nil, unreadable()
	}
	if s.kind == Image && width*height > limits.Still {
		return nil, problem.New(problem.RuleViolated, "The picture has %d × %d pixels, and may have %d million.",
			width, height, limits.Still/1_000_000)
	}
	rotation := 0
	switch fields.number("orientation") {
	case 3, 4:
		rotation = 180
	case 5, 6:
		rotation = 90
	case 7, 8:
		rotation = 270
	}
	if rotation%180 != 0 {
		width, height = height, width
	}
	return &Media{Kind: s.kind, ContentType: s.contentType, Format: s.format, Pages: pages,
		Picture: &Picture{Track: Track{Codec: s.format}, Width: width, Height: height, Rotation: rotation,
			Matrix: fields["interpretation"], Profiled: fields["icc-profile-data"] != ""}}, nil
}

// VipsEnv returns the environment of vips for a kind of file. Its readers that are not meant for files of strangers are
// blocked, but for the one of PDF.
func VipsEnv(kind Kind) []string {
	variables := []string{"VIPS_CONCURRENCY=2"}
	if kind != Document {
		variables = append(variables, "VIPS_BLOCK_UNTRUSTED=1")
	}
	return variables
}

type header map[string]string

func (h header) number(name string) int {
	n, err := strconv.Atoi(h[name])
	if err != nil {
		return 0
	}
	return n
}

func stillFields(ctx context.Context, path string, s still, limits Limits) (header, error) {
	result, err := program.Run(ctx, program.Command{Name: "vipsheader", Args: []string{"-a", path}, Dir: dirOf(path),
		Env: VipsEnv(s.kind), Limits: limits.Program})
	if err != nil {
		if failure, ok := errors.AsType[*program.Failure](err); ok && failure.Reason == program.Exited {
			return nil, errors.Join(problem.New(problem.UnsupportedMediaType,
				"The file says that it is %s, but it cannot be read. Upload it again.", article(s.format)), err)
		}
		return nil, explain(err)
	}
	fields := header{}
	for line := range strings.Lines(string(result.Output)) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\n"), ": "); ok {
			fields[name] = value
		}
	}
	return fields, nil
}

func article(format string) string {
	name := strings.ToUpper(format)
	if strings.ContainsAny(name[:1], "AH") {
		return fmt.Sprintf("an %s", name)
	}
	return fmt.Sprintf("a %s", name)
}
