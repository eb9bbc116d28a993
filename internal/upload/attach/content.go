package attach

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"itemcast/internal/item"
	"itemcast/internal/media/caption"
	"itemcast/internal/problem"
	"itemcast/internal/upload"
)

// pictures are the types of pictures that browsers show.
var pictures = []string{"image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"}

// source is a file as it comes.
type source struct {
	name    string
	byURL   bool  // this server fetches it
	size    int64 // 0: unknown
	content io.Reader
}

// file is a file as it will be stored.
type file struct {
	name, contentType string
	itemType          item.ItemType
	plays             bool // a video or a sound that becomes the item's source
	byURL             bool
	size              int64 // 0: unknown
	content           io.Reader
}

// read reads the beginning of a file, and checks that it is of its kind. Subtitles are read as a whole.
func (s source) read(kind item.AssetKind) (file, error) {
	f, err := s.sniff()
	if err != nil {
		return f, err
	}
	group, _, _ := strings.Cut(f.contentType, "/")
	switch {
	case kind == item.AssetKindSubtitle:
		return f.asSubtitles()
	case kind == item.AssetKindAudio && group != "audio",
		kind == item.AssetKindRendition && group != "audio" && group != "video":
		return f, problem.New(problem.UnsupportedMediaType,
			"The file is %s by its content, which cannot be an asset of the kind %s. Send another file, or name another kind.",
			f.contentType, kind)
	}
	return f, nil
}

// readPicture is read for a snapshot.
func (s source) readPicture() (file, error) {
	f, err := s.sniff()
	if err == nil && !slices.Contains(pictures, f.contentType) {
		err = problem.New(problem.UnsupportedMediaType,
			"The file is %s by its content. A snapshot is a JPEG, PNG, WebP, GIF or AVIF picture.", f.contentType)
	}
	return f, err
}

func (s source) sniff() (file, error) {
	buffered := bufio.NewReaderSize(s.content, upload.HeadSize)
	head, err := buffered.Peek(upload.HeadSize)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return file{}, err
	case len(head) == 0:
		return file{}, problem.New(problem.BadRequest, "The file is empty.")
	}
	f := file{name: s.name, byURL: s.byURL, size: s.size, content: buffered}
	f.contentType, f.itemType = upload.Sniff(head)
	return f, nil
}

// asSubtitles returns subtitles as they are stored: WebVTT as it is, SubRip as WebVTT.
func (f file) asSubtitles() (file, error) {
	text, err := io.ReadAll(io.LimitReader(f.content, caption.MaxBytes+1))
	if err != nil {
		return f, err
	}
	vtt, _, err := caption.ToWebVTT(text)
	if err != nil {
		return f, err
	}
	f.name = strings.TrimSuffix(f.name, path.Ext(f.name)) + ".vtt"
	f.contentType, f.size, f.content = caption.ContentType, int64(len(vtt)), bytes.NewReader(vtt)
	return f, nil
}
