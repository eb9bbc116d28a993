package attach

import (
	"bytes"
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
	upload.Content
	name  string
	plays bool // a video or a sound that becomes the item's source
	byURL bool
	size  int64 // 0: unknown
}

// read reads the beginning of a file, and checks that it is of its kind. Subtitles are read as a whole.
func (s source) read(kind item.AssetKind) (file, error) {
	f, err := s.recognize()
	if err != nil {
		return f, err
	}
	group, _, _ := strings.Cut(f.ContentType, "/")
	switch {
	case kind == item.AssetKindSubtitle:
		return f.asSubtitles()
	case kind == item.AssetKindAudio && group != "audio",
		kind == item.AssetKindRendition && group != "audio" && group != "video":
		return f, problem.New(problem.UnsupportedMediaType,
			"The file is %s by its content, which cannot be an asset of the kind %s. Send another file, or name another kind.",
			f.ContentType, kind)
	}
	return f, nil
}

// readPicture is read for a snapshot.
func (s source) readPicture() (file, error) {
	f, err := s.recognize()
	if err == nil && !slices.Contains(pictures, f.ContentType) {
		err = problem.New(problem.UnsupportedMediaType,
			"The file is %s by its content. A snapshot is a JPEG, PNG, WebP, GIF or AVIF picture.", f.ContentType)
	}
	return f, err
}

func (s source) recognize() (file, error) {
	name := upload.CleanName(s.name)
	content, err := upload.Recognize(name, s.content)
	return file{Content: content, name: name, byURL: s.byURL, size: s.size}, err
}

// asSubtitles returns subtitles as they are stored: WebVTT as it is, SubRip as WebVTT.
func (f file) asSubtitles() (file, error) {
	text, err := io.ReadAll(io.LimitReader(f, caption.MaxBytes+1))
	if err != nil {
		return f, err
	}
	vtt, _, err := caption.ToWebVTT(text)
	if err != nil {
		return f, err
	}
	f.name = strings.TrimSuffix(f.name, path.Ext(f.name)) + ".vtt"
	f.ContentType, f.size, f.Reader = caption.ContentType, int64(len(vtt)), bytes.NewReader(vtt)
	return f, nil
}
